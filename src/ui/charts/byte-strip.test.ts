import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { byteStripChart } from "./byte-strip.ts";
import type { ByteStripData, ByteStripPlace, ByteStripRole } from "./byte-strip-data.ts";
import { edgesOf, placeLabels, roundStep, spacedLabels, textWidth } from "./byte-strip-layout.ts";
import { ROLES, type Role, roleFill, roleText } from "./byte-strip-looks.ts";
import type { Drawing, Shape } from "./chart.ts";
import { MADE_THEME } from "./made-theme.cases.ts";
import type { ChartTheme } from "./theme.ts";
import { walkMarks } from "./walk.ts";

const LIGHT: ChartTheme = { ...MADE_THEME, paper: "#fbfbf9", ink: "#1b1d21" };
const DARK: ChartTheme = { ...MADE_THEME, paper: "#14161a", ink: "#e8e6e1" };

function role(name: Role, bytes: number, all: number, taken = 0): ByteStripRole {
  return {
    role: name,
    tensors: Math.max(1, taken),
    weights: bytes / 2,
    bytes,
    share: bytes / all,
    taken: { tensors: taken, bytes: taken > 0 ? bytes : 0 },
  };
}

/** A model of equal layers, an embedding before them and a norm after. */
function model(layers: number, chosen: Role | null = null): ByteStripData {
  const [mlp, attention, embedding, norm] = [3000, 1000, 4000, 1];
  const bytes = layers * (mlp + attention) + embedding + norm;
  const layer = (at: number): ByteStripPlace => ({
    layer: at,
    bytes: mlp + attention,
    parts: [
      { role: "attention", bytes: attention },
      { role: "mlp", bytes: mlp },
    ],
  });
  return {
    bytes,
    roles: [
      role("mlp", layers * mlp, bytes, 3 * layers),
      role("attention", layers * attention, bytes, 4 * layers),
      role("embedding", embedding, bytes),
      role("norm", norm, bytes),
    ].sort((a, b) => b.bytes - a.bytes),
    places: [
      { layer: null, bytes: embedding, parts: [{ role: "embedding", bytes: embedding }] },
      ...Array.from({ length: layers }, (_, at) => layer(at)),
      { layer: null, bytes: norm, parts: [{ role: "norm", bytes: norm }] },
    ],
    chosen,
  };
}

function draw(data: ByteStripData, width: number, theme = LIGHT): Drawing {
  return byteStripChart.draw(data, { width, height: 300 }, theme);
}

function texts(drawing: Drawing): readonly Extract<Shape, { kind: "text" }>[] {
  return drawing.shapes.flatMap((shape) => (shape.kind === "text" ? [shape] : []));
}

function rects(shapes: readonly Shape[]): readonly Extract<Shape, { kind: "rect" }>[] {
  return shapes.flatMap((shape) => (shape.kind === "rect" ? [shape] : []));
}

describe("the picture of bytes by role", () => {
  test.each([896, 720, 351])("names every role with its share and its size at %i px, within its width", (width) => {
    const data = model(4);
    const drawing = draw(data, width);
    const written = texts(drawing).map(({ text }) => text);
    for (const name of ["MLP", "Attention", "Embedding", "Norms"]) {
      expect(written.filter((text) => text.startsWith(name))).toHaveLength(1);
    }
    expect(written.some((text) => text.includes("60.0 %"))).toBe(true);
    for (const { x, text, size = 12, anchor } of texts(drawing)) {
      const room = textWidth(text, size);
      const start = anchor === "end" ? x - room : anchor === "middle" ? x - room / 2 : x;
      expect(start, text).toBeGreaterThanOrEqual(-1);
      expect(start + room, text).toBeLessThanOrEqual(width + 1);
    }
  });

  test("widths of the roles are as their bytes", () => {
    const { marks } = draw(model(4), 896);
    const [mlp, attention] = ["mlp", "attention"].map((key) => marks.find((mark) => mark.key === key)?.width ?? 0);
    expect((mlp ?? 0) / (attention ?? 1)).toBeCloseTo(3, 1);
  });

  test("a role too small to be pressed is pressed by its label", () => {
    for (const width of [896, 351]) {
      for (const mark of draw(model(4), width).marks.filter(({ isPickable }) => isPickable)) {
        expect(Math.min(mark.width, mark.height), mark.key).toBeGreaterThanOrEqual(24);
        expect(mark.x + mark.width).toBeLessThanOrEqual(width);
      }
    }
  });

  test("every layer has at least a pixel, also where they are three hundred on a telephone", () => {
    for (const width of [896, 720, 351]) {
      const places = draw(model(300), width).marks.filter(({ place }) => place?.row === 1);
      expect(places).toHaveLength(302);
      expect(Math.min(...places.map((mark) => mark.width))).toBeGreaterThanOrEqual(1);
      const last = places.at(-1);
      expect((last?.x ?? 0) + (last?.width ?? 0)).toBe(width);
    }
  });

  test("more layers than pixels are merged, and none is lost", () => {
    const places = draw(model(5000), 351).marks.filter(({ place }) => place?.row === 1);
    expect(places.length).toBeLessThanOrEqual(351);
    expect(places[1]?.sentence).toMatch(/^Layers 0 to 15: 64\.0 kB/);
    expect(places.at(-2)?.sentence).toMatch(/^Layers 4992 to 4999: /);
  });

  test("a layer is divided as its bytes are, most bytes of all at the bottom", () => {
    const drawing = draw(model(1), 896);
    const column = drawing.marks.find((mark) => mark.sentence.startsWith("Layer 0"));
    const parts = rects(drawing.dense ?? []).filter((shape) => shape.x === column?.x && shape.fill !== undefined);
    const byFill = (name: Role) => parts.find(({ fill }) => fill === roleFill(name, LIGHT, false));
    expect((byFill("mlp")?.height ?? 0) / (byFill("attention")?.height ?? 1)).toBeCloseTo(3, 0);
    expect((byFill("mlp")?.y ?? 0) > (byFill("attention")?.y ?? 0)).toBe(true);
  });

  test("a chosen role keeps its colour, is ringed, and is seen in each layer however small it is", () => {
    const data = model(4, "norm");
    const layer = data.places[1] as ByteStripPlace;
    const withNorm = { ...layer, parts: [...layer.parts, { role: "norm" as const, bytes: 1 }] };
    const drawing = draw({ ...data, places: data.places.map((place) => (place === layer ? withNorm : place)) }, 896);
    const norms = rects(drawing.dense ?? []).filter(({ fill }) => fill === roleFill("norm", LIGHT, false));
    expect(norms.map(({ height }) => height).sort((a, b) => a - b)[0]).toBe(3);
    expect(norms).toHaveLength(2);
    expect(rects(drawing.dense ?? []).some(({ fill }) => fill === roleFill("mlp", LIGHT, false))).toBe(false);
    expect(rects(drawing.shapes).filter(({ strokeWidth }) => strokeWidth === 2)).toHaveLength(1);
    expect(drawing.marks.filter(({ isSelected }) => isSelected).map(({ key }) => key)).toEqual(["norm"]);
  });

  test("without layers the lower strip is left out", () => {
    const bytes = 400;
    const places = [{ layer: null, bytes, parts: [{ role: "other" as const, bytes }] }];
    const drawing = draw({ bytes, roles: [role("other", bytes, bytes)], places, chosen: null }, 351);
    expect(drawing.dense).toBeUndefined();
    expect(drawing.marks).toHaveLength(1);
    expect(drawing.marks[0]?.width).toBe(351);
  });

  test("without tensors, or with empty ones, nothing breaks", () => {
    expect(draw({ bytes: 0, roles: [], places: [], chosen: null }, 351).marks).toEqual([]);
    const empty = { ...role("mlp", 0, 1), share: Number.NaN };
    const drawing = draw(
      { bytes: 0, roles: [empty], places: [{ layer: 0, bytes: 0, parts: [{ role: "mlp", bytes: 0 }] }], chosen: null },
      351,
    );
    const figures = [...drawing.shapes, ...(drawing.dense ?? [])].flatMap((shape) => Object.values(shape));
    expect(figures.some((value) => Number.isNaN(value))).toBe(false);
    expect(drawing.marks[0]?.sentence).toContain("MLP: – of the bytes");
  });

  test("arrows go from a role down to a layer below it and back", () => {
    const { marks } = draw(model(30), 896);
    for (const { key, x, isPickable } of marks) {
      if (!isPickable) continue;
      const below = marks.find((mark) => mark.key === walkMarks(marks, key, "ArrowDown"));
      expect(below?.place?.row).toBe(1);
      if (key !== "norm") expect((below?.x ?? 0) + (below?.width ?? 0)).toBeGreaterThan(x);
      expect(walkMarks(marks, below?.key ?? "", "ArrowUp")).toBe(key);
    }
  });

  test("text stands on every grey with a contrast of 4.5, in both themes, faded or not", () => {
    for (const theme of [LIGHT, DARK]) {
      for (const name of ROLES) {
        for (const isFaded of [false, true]) {
          const { fill } = roleText(name, theme, isFaded);
          expect(contrast(fill, roleFill(name, theme, isFaded)), name).toBeGreaterThanOrEqual(4.5);
        }
      }
    }
  });

  test("no two roles have the same grey", () => {
    expect(new Set(ROLES.map((name) => roleFill(name, LIGHT, false))).size).toBe(ROLES.length);
  });
});

describe("the caption of bytes by role", () => {
  test("says how much a scheme can shrink, and what stays", () => {
    expect(byteStripChart.caption(model(4))).toEqual({
      strong: "80.0 % of the bytes are MLP and attention: 28 matrices that a scheme can shrink.",
      plain: "What stays as it is: embedding 4.00 kB and norms 1 B.",
    });
  });

  test("counts a role that is shrunk in part on both sides", () => {
    const data = model(4);
    const roles = data.roles.map((one) => (one.role === "mlp" ? { ...one, taken: { tensors: 1, bytes: 3000 } } : one));
    const { strong, plain } = byteStripChart.caption({ ...data, roles });
    expect(strong).toBe("35.0 % of the bytes are MLP and attention: 17 matrices that a scheme can shrink.");
    expect(plain).toBe("What stays as it is: MLP 9.00 kB, embedding 4.00 kB and norms 1 B.");
  });

  test("is true for one matrix, for none, and for nothing", () => {
    const one = { bytes: 200, roles: [role("other", 200, 200, 1)], places: [], chosen: null };
    expect(byteStripChart.caption(one).strong).toBe("All bytes are others: 1 matrix that a scheme can shrink.");
    const none = { ...one, roles: [role("norm", 200, 200)] };
    expect(byteStripChart.caption(none)).toEqual({
      strong: "No matrix here is one that a scheme would shrink.",
      plain: "Largest part: norms, 200 B, 100 %.",
    });
    expect(byteStripChart.caption({ ...one, roles: [] }).strong).toBe("There are no tensors in these files.");
  });

  test("never says 100 % of what is less", () => {
    const bytes = 1_000_000;
    const roles = [role("mlp", bytes - 1, bytes, 1), role("norm", 1, bytes)];
    expect(byteStripChart.caption({ bytes, roles, places: [], chosen: null }).strong).toMatch(/^> 99\.9 % of/);
  });
});

test("the table twin has the numbers unrounded", () => {
  const { columns, rows } = byteStripChart.table(model(4));
  expect(columns.map(({ name }) => name)).toEqual(["role", "tensors", "a scheme takes", "weights", "bytes", "share"]);
  expect(rows[0]?.map(({ value }) => value)).toEqual(["MLP", 12, 12, 6000, 12000, (12000 / 20001) * 100]);
});

describe("splitting a width", () => {
  test("fills it, keeps the order, and gives each part its least", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 1e9 }), { minLength: 1, maxLength: 300 }),
        fc.integer({ min: 300, max: 2000 }),
        (parts, room) => {
          fc.pre(parts.some((part) => part > 0));
          const edges = edgesOf(parts, room, 1);
          const widths = parts.map((_, at) => (edges[at + 1] ?? 0) - (edges[at] ?? 0));
          expect(edges[0]).toBe(0);
          expect(edges.at(-1)).toBe(room);
          expect(Math.min(...widths)).toBeGreaterThanOrEqual(1);
        },
      ),
    );
  });

  test("is in proportion where nothing is too small", () => {
    expect(edgesOf([1, 2, 1], 400, 3)).toEqual([0, 100, 300, 400]);
  });
});

describe("placing labels", () => {
  test("two of one row never overlap, and each has its row", () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ at: fc.integer({ min: 0, max: 900 }), width: fc.integer({ min: 20, max: 200 }) }), {
          maxLength: 6,
        }),
        (labels) => {
          const placed = placeLabels(labels, 900);
          expect(placed).toHaveLength(labels.length);
          placed.forEach((one, at) => {
            for (const other of placed.slice(at + 1)) {
              if (one.row === other.row) expect(one.end <= other.start || other.end <= one.start).toBe(true);
            }
          });
        },
      ),
    );
  });

  test("labels of the axis that would touch one before are left out", () => {
    const wanted = ["0", "1", "2"].map((text, at) => ({ text, x: at * 8, size: 11 }));
    expect(spacedLabels(wanted, 100).map(({ text }) => text)).toEqual(["0"]);
  });

  test("steps are round", () => {
    expect([0.2, 1, 1.5, 3, 7, 11, 600].map(roundStep)).toEqual([1, 1, 2, 5, 10, 20, 1000]);
  });
});

/** Contrast of WCAG 2. */
function contrast(one: string, other: string): number {
  const [light = 0, dark = 0] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return (light + 0.05) / (dark + 0.05);
}

function luminance(colour: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
