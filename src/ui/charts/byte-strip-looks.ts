import { formatPercent } from "../../base/format.ts";
import type { Shape } from "./chart.ts";
import type { ChartTheme } from "./theme.ts";

/** What a tensor is for. */
export type Role = "mlp" | "attention" | "embedding" | "head" | "norm" | "other";

/** How a role is written and painted. Roles are no number family, so they have greys and textures, and always their name. */
interface RoleLook {
  readonly name: string;
  /** The name inside a sentence. */
  readonly word: string;
  /** Share of ink in its grey, the rest is paper. */
  readonly ink: number;
  /** Diagonals are left to what is not finished. */
  readonly texture: "plain" | "lines" | "dots";
}

const LOOKS: Readonly<Record<Role, RoleLook>> = {
  mlp: { name: "MLP", word: "MLP", ink: 0.8, texture: "plain" },
  attention: { name: "Attention", word: "attention", ink: 0.62, texture: "plain" },
  embedding: { name: "Embedding", word: "embedding", ink: 0.3, texture: "plain" },
  head: { name: "Head", word: "head", ink: 0.16, texture: "lines" },
  norm: { name: "Norms", word: "norms", ink: 1, texture: "plain" },
  other: { name: "Other", word: "others", ink: 0.08, texture: "dots" },
};

/** Roles in the order in which their chips stand. */
export const ROLES: readonly Role[] = ["embedding", "attention", "mlp", "norm", "head", "other"];

export function roleName(role: Role): string {
  return LOOKS[role].name;
}

export function roleWord(role: Role): string {
  return LOOKS[role].word;
}

/** Smaller shares all look the same. */
const LEAST_SHARE = 1e-4;

/** A share of the bytes: `14.3 %`, `< 0.01 %`; never `100 %` of what is less. */
export function shareWords(share: number): string {
  if (!Number.isFinite(share)) return "–";
  if (share > 0 && share < LEAST_SHARE) return "< 0.01 %";
  const text = formatPercent(share);
  return share < 1 && text === formatPercent(1) ? "> 99.9 %" : text;
}

/** Ink of outlines and textures on a pale grey, so that its edge is seen on paper. */
const EDGE_INK = 0.62;
/** A grey with less ink than this gets an outline. */
const PALE_INK = 0.5;
/** How much of a colour stays while another role is chosen. */
const FADED = 0.3;
/** Pixels between the lines, or the dots, of a texture. */
const TEXTURE_STEP = 5;
/** A texture in less would be noise. */
const LEAST_TEXTURED = 8;

export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** A box filled as its role is. `isFaded`: another role is chosen. */
export function roleShapes(role: Role, box: Box, theme: ChartTheme, isFaded: boolean): readonly Shape[] {
  const look = LOOKS[role];
  const { x, y, width, height } = box;
  const edge = mix(theme, EDGE_INK * (isFaded ? FADED : 1));
  const face: Shape = { kind: "rect", x, y, width, height, fill: roleFill(role, theme, isFaded) };
  const texture: readonly Shape[] =
    look.texture === "plain" || Math.min(width, height) < LEAST_TEXTURED
      ? []
      : [{ kind: "path", d: look.texture === "lines" ? lines(box) : dots(box), stroke: edge, strokeWidth: 1 }];
  const outline: readonly Shape[] =
    look.ink >= PALE_INK || width < 3 || height < 3
      ? []
      : [
          {
            kind: "rect",
            x: x + 0.5,
            y: y + 0.5,
            width: width - 1,
            height: height - 1,
            stroke: edge,
            strokeWidth: 1,
          },
        ];
  return [face, ...texture, ...outline];
}

/** The colour of a role's face. */
export function roleFill(role: Role, theme: ChartTheme, isFaded: boolean): string {
  return mix(theme, LOOKS[role].ink * (isFaded ? FADED : 1));
}

/** Text on a role's face: paper on dark greys, ink on pale ones, with a halo where a texture runs through it. */
export function roleText(
  role: Role,
  theme: ChartTheme,
  isFaded: boolean,
): { readonly fill: string; readonly halo?: string } {
  const { ink, texture } = LOOKS[role];
  const fill = ink * (isFaded ? FADED : 1) > PALE_INK ? theme.paper : theme.ink;
  return texture === "plain" ? { fill } : { fill, halo: roleFill(role, theme, isFaded) };
}

function lines({ x, y, width, height }: Box): string {
  const found: string[] = [];
  for (let down = TEXTURE_STEP; down < height; down += TEXTURE_STEP) {
    found.push(`M${x} ${y + down - 0.5}h${width}`);
  }
  return found.join("");
}

function dots({ x, y, width, height }: Box): string {
  const found: string[] = [];
  for (let down = TEXTURE_STEP - 2; down < height - 1; down += TEXTURE_STEP) {
    for (let right = TEXTURE_STEP - 2; right < width - 1; right += TEXTURE_STEP) {
      found.push(`M${x + right} ${y + down}h1`);
    }
  }
  return found.join("");
}

/** Ink thinned with paper. */
function mix(theme: ChartTheme, ink: number): string {
  const [from, to] = [theme.paper, theme.ink].map((colour) =>
    [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16)),
  );
  const parts = [0, 1, 2].map((at) => Math.round((from?.[at] ?? 0) * (1 - ink) + (to?.[at] ?? 0) * ink));
  return `#${parts.map((part) => part.toString(16).padStart(2, "0")).join("")}`;
}
