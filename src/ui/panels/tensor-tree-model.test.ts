import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Ledger, LedgerTensor, TensorRole } from "../../engine/ledger.ts";
import {
  buildTree,
  compareNames,
  filterTree,
  flatRows,
  matcherOf,
  moduleOf,
  moreWords,
  openedTo,
  PAGE_ROWS,
  pathTo,
  rowsOf,
  rowWords,
  stepTree,
  type TreeNode,
  type TreeRow,
  treeCaption,
  typedRow,
  useOf,
  withPage,
} from "./tensor-tree-model.ts";

function tensor(name: string, more: Partial<LedgerTensor> = {}): LedgerTensor {
  const isQuantizable = name.endsWith(".weight");
  return {
    name,
    dtype: "BF16",
    shape: [2, 3],
    weights: 6,
    sizeBytes: 12,
    shard: 0,
    role: "other",
    layer: null,
    isQuantizable,
    ...more,
  };
}

const MODEL = buildTree(
  [
    "lm_head.weight",
    "model.embed_tokens.weight",
    ...[0, 1, 2, 10].flatMap((layer) => [
      `model.layers.${layer}.mlp.down_proj.weight`,
      `model.layers.${layer}.self_attn.q_proj.weight`,
      `model.layers.${layer}.self_attn.k_proj.weight`,
    ]),
    "model.norm.weight",
  ].map((name) => tensor(name)),
);

function tensorsOf(nodes: readonly TreeNode[]): readonly LedgerTensor[] {
  return nodes.flatMap((node) => (node.tensor === null ? tensorsOf(node.children) : [node.tensor]));
}

function allNodes(nodes: readonly TreeNode[]): readonly TreeNode[] {
  return nodes.flatMap((node) => [node, ...allNodes(node.children)]);
}

function labels(rows: readonly TreeRow[]): readonly string[] {
  return rows.map(({ node, level }) => `${"  ".repeat(level - 1)}${node?.label ?? "more"}`);
}

function shown(nodes: readonly TreeNode[], ...open: readonly string[]): readonly TreeRow[] {
  return flatRows(rowsOf(nodes, (key) => open.includes(key), new Map()));
}

/** Names that collide, nest and hide, beside plain ones. */
const NAME = fc.oneof(
  fc
    .array(fc.constantFrom("model", "layers", "0", "1", "10", "weight", "", "q_proj", "Q", "\u202e", "__proto__"), {
      maxLength: 20,
      size: "max",
    })
    .map((parts) => parts.join(".")),
  fc.string({ maxLength: 12 }),
);
const NAMES = fc.uniqueArray(NAME, { maxLength: 60 });

describe("the tree of tensors", () => {
  test("goes by the parts of the names and joins those that have one child", () => {
    const everything = shown(MODEL, ...allNodes(MODEL).map(({ key }) => key));
    expect(labels(everything).slice(0, 9)).toEqual([
      "lm_head.weight",
      "model",
      "  embed_tokens.weight",
      "  layers",
      "    0",
      "      mlp.down_proj.weight",
      "      self_attn",
      "        k_proj.weight",
      "        q_proj.weight",
    ]);
    expect(labels(everything).filter((label) => /^ {4}\d/.test(label))).toEqual(["    0", "    1", "    2", "    10"]);
  });

  test("every tensor is reached exactly once, and its name is the path to it", () => {
    fc.assert(
      fc.property(NAMES, (names) => {
        const tree = buildTree(names.map((name) => tensor(name)));
        const found = tensorsOf(tree).map(({ name }) => name);
        expect([...found].sort()).toEqual([...names].sort());
        const rows = flatRows(rowsOf(tree, () => true, new Map()));
        expect(new Set(rows.map(({ key }) => key)).size).toBe(rows.length);
        const spell = (nodes: readonly TreeNode[], before: string): void => {
          for (const node of nodes) {
            expect(node.path).toBe(before + node.label);
            if (node.tensor !== null) expect(node.tensor.name).toBe(node.path);
            spell(node.children, `${node.path}.`);
          }
        };
        spell(tree, "");
      }),
    );
  });

  test("each node sums up what is below it", () => {
    fc.assert(
      fc.property(NAMES, (names) => {
        for (const node of allNodes(
          buildTree(names.map((name, at) => tensor(name, { sizeBytes: at, weights: 2 * at }))),
        )) {
          const below = tensorsOf([node]);
          expect(node.tensors).toBe(below.length);
          expect(node.sizeBytes).toBe(below.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0));
          expect(node.weights).toBe(below.reduce((sum, { weights }) => sum + weights, 0));
        }
      }),
    );
  });

  test("a name that is the start of another stands beside it", () => {
    const tree = buildTree([tensor("a"), tensor("a.b"), tensor("a.c"), tensor("")]);
    expect(tree.map(({ label, tensor: own }) => [label, own === null])).toEqual([
      ["", false],
      ["a", false],
      ["a", true],
    ]);
  });

  test("ten thousand dots are not ten thousand levels", () => {
    const tree = buildTree([tensor(".".repeat(10_000)), tensor(`${".".repeat(9_999)}x`)]);
    const depth = (nodes: readonly TreeNode[]): number => 1 + Math.max(0, ...nodes.map((node) => depth(node.children)));
    expect(depth(tree)).toBeLessThan(20);
    expect(tensorsOf(tree)).toHaveLength(2);
  });
});

describe("the order of names", () => {
  test("is that in which people count", () => {
    const names = ["h.10", "h.2", "h.02", "h.1a", "h.1", "g", "h.99999999999999999999", "h.100000000000000000000"];
    expect([...names].sort(compareNames)).toEqual([
      "g",
      "h.1",
      "h.1a",
      "h.2",
      "h.02",
      "h.10",
      "h.99999999999999999999",
      "h.100000000000000000000",
    ]);
  });

  test("is an order", () => {
    const chunk = fc.constantFrom("1", "01", "10", "2", "a", "b", ".", "a1", "é");
    const name = fc.array(chunk, { maxLength: 4 }).map((parts) => parts.join(""));
    fc.assert(
      fc.property(name, name, name, (a, b, c) => {
        expect(Math.sign(compareNames(a, b))).toBe(-Math.sign(compareNames(b, a)) + 0);
        expect(compareNames(a, b) === 0).toBe(a === b);
        if (compareNames(a, b) < 0 && compareNames(b, c) < 0) expect(compareNames(a, c)).toBeLessThan(0);
      }),
    );
  });
});

describe("searching the tree", () => {
  test("finds exactly the names that contain what is searched for, upper or lower case", () => {
    fc.assert(
      fc.property(
        NAMES,
        fc.oneof(fc.constantFrom("q_", "Q", "1", ".", "LAYERS", ""), fc.string({ maxLength: 2 })),
        (names, query) => {
          const tree = filterTree(buildTree(names.map((name) => tensor(name))), matcherOf({ role: null, query }));
          const pattern = query.toLowerCase();
          const wanted = names.filter((name) => name.toLowerCase().split(pattern).length > 1 || pattern === "");
          expect(
            tensorsOf(tree)
              .map(({ name }) => name)
              .sort(),
          ).toEqual([...wanted].sort());
          for (const node of allNodes(tree)) expect(node.tensors).toBe(tensorsOf([node]).length);
        },
      ),
    );
  });

  test("keeps keys and paths, and joins what has one child now", () => {
    const found = filterTree(MODEL, matcherOf({ role: null, query: "layers.10.SELF" }));
    expect(tensorsOf(found)).toHaveLength(2);
    const whole = new Map(allNodes(MODEL).map(({ key, path }) => [key, path]));
    for (const { key, path } of allNodes(found)) expect(whole.get(key)).toBe(path);
    expect(allNodes(found).map(({ label }) => label)).toEqual([
      "model.layers.10.self_attn",
      "k_proj.weight",
      "q_proj.weight",
    ]);
  });

  test("takes a role and a name together", () => {
    const roles: readonly TensorRole[] = ["mlp", "attention", "mlp"];
    const tree = buildTree(roles.map((role, at) => tensor(`a.${at}`, { role })));
    const find = (role: TensorRole, query: string) => tensorsOf(filterTree(tree, matcherOf({ role, query })));
    expect(find("mlp", "").map(({ name }) => name)).toEqual(["a.0", "a.2"]);
    expect(find("mlp", "2").map(({ name }) => name)).toEqual(["a.2"]);
    expect(find("norm", "")).toEqual([]);
  });

  test("opens as many whole levels as have room", () => {
    const rows = (most: number) => shown(MODEL, ...openedTo(MODEL, most)).length;
    expect(rows(1)).toBe(2);
    expect(rows(5)).toBe(5);
    expect(rows(8)).toBe(5);
    expect(rows(9)).toBe(9);
    expect(rows(1000)).toBe(allNodes(MODEL).length);
  });

  test("the way to a tensor is all that has to be open to see it", () => {
    for (const { name } of tensorsOf(MODEL)) {
      expect(shown(MODEL, ...pathTo(MODEL, name)).map(({ node }) => node?.tensor?.name)).toContain(name);
    }
    expect(pathTo(MODEL, "model.layers.3.mlp.down_proj.weight")).toEqual([]);
  });
});

describe("rows", () => {
  const wide = buildTree(Array.from({ length: 1203 }, (_, at) => tensor(`w.${at}`)));

  test("of one node come by five hundred, and each is reached in the end", () => {
    const open = (pages: ReadonlyMap<string, number>) => flatRows(rowsOf(wide, () => true, pages));
    let pages: ReadonlyMap<string, number> = new Map();
    expect(open(pages)).toHaveLength(1 + PAGE_ROWS + 1);
    expect(open(pages).at(-1)).toMatchObject({ node: null, more: 703, place: 501, siblings: 1203 });
    for (const length of [1 + 1000 + 1, 1 + 1203]) {
      pages = withPage(pages, open(pages).at(-1)?.parent ?? null);
      expect(open(pages)).toHaveLength(length);
    }
    expect([moreWords(703), moreWords(203)]).toEqual(["Show 500 more of 703", "Show 203 more"]);
  });

  test("say what a row is to those who do not see it", () => {
    const row = shown(buildTree([tensor("a\u202e.weight", { role: "mlp" })]))[0] as TreeRow;
    expect(rowWords(row, { tensorBytes: 24 }, true)).toBe(
      "a\\u{202e}.weight: MLP, BF16 [2, 3], 12 B, 50.0 % of the bytes, in file 1, a scheme shrinks it",
    );
    const [, model] = shown(MODEL);
    expect(rowWords(model as TreeRow, { tensorBytes: 0 }, false)).toBe("model: 14 tensors, 84 weights, 168 B");
  });
});

describe("keys in the tree", () => {
  const [head, model] = shown(MODEL).map(({ key }) => key) as [string, string];
  const rows = shown(MODEL, model);
  const step = (from: string, key: string) => stepTree(rows, from, key);
  const byLabel = (label: string): string => rows.find(({ node }) => node?.label === label)?.key ?? "";

  test("up, down, Home and End go from row to row and stay at the ends", () => {
    expect(step(head, "ArrowDown")).toEqual({ kind: "go", key: model });
    expect(step(model, "ArrowUp")).toEqual({ kind: "go", key: head });
    expect(step(head, "ArrowUp")).toBeNull();
    expect(step(head, "End")).toEqual({ kind: "go", key: byLabel("norm.weight") });
    expect(step(byLabel("norm.weight"), "ArrowDown")).toBeNull();
    expect(step(byLabel("layers"), "Home")).toEqual({ kind: "go", key: head });
  });

  test("right opens, then enters; left closes, then leaves", () => {
    expect(step(byLabel("layers"), "ArrowRight")).toEqual({ kind: "open", key: byLabel("layers") });
    expect(step(model, "ArrowRight")).toEqual({ kind: "go", key: byLabel("embed_tokens.weight") });
    expect(step(head, "ArrowRight")).toBeNull();
    expect(step(model, "ArrowLeft")).toEqual({ kind: "close", key: model });
    expect(step(byLabel("layers"), "ArrowLeft")).toEqual({ kind: "go", key: model });
    expect(step(head, "ArrowLeft")).toBeNull();
    expect(step(head, "Enter")).toBeNull();
    expect(step("gone", "ArrowDown")).toBeNull();
  });

  test("arrows down reach every row that is shown", () => {
    const everything = shown(MODEL, ...allNodes(MODEL).map(({ key }) => key));
    const seen = [everything[0]?.key ?? ""];
    for (;;) {
      const next = stepTree(everything, seen.at(-1) ?? "", "ArrowDown");
      if (next === null) break;
      seen.push(next.key);
    }
    expect(seen).toEqual(everything.map(({ key }) => key));
  });

  test("letters go to the next label that begins with them, around the end", () => {
    expect(typedRow(rows, head, "m")).toBe(model);
    expect(typedRow(rows, model, "L")).toBe(byLabel("layers"));
    expect(typedRow(rows, byLabel("layers"), "l")).toBe(head);
    expect(typedRow(rows, byLabel("layers"), "la")).toBe(byLabel("layers"));
    expect(typedRow(rows, head, "z")).toBeNull();
  });

  test("whoever types on stays where it still fits", () => {
    const numbers = buildTree(["10", "100", "2"].map((name) => tensor(name)));
    const keys = numbers.map(({ key }) => key);
    const listed = shown(numbers);
    expect(typedRow(listed, keys[1] ?? "", "1")).toBe(keys[2]);
    expect(typedRow(listed, keys[1] ?? "", "10")).toBe(keys[1]);
  });
});

test("a matrix is picked by its module, and tells what schemes do with it", () => {
  expect(moduleOf(tensor("model.layers.0.mlp.up_proj.weight"))).toBe("model.layers.0.mlp.up_proj");
  expect(moduleOf(tensor("model.norm.weight", { isQuantizable: false }))).toBeNull();
  expect(useOf(tensor("model.layers.0.mlp.up_proj.weight"))).toBe("taken");
  expect(useOf(tensor("model.embed_tokens.weight"))).toBe("on-request");
  expect(useOf(tensor("lm_head.weight"))).toBe("on-request");
  expect(useOf(tensor("model.norm.weight", { isQuantizable: false }))).toBe("none");
});

test("the caption names the largest tensor, cut and quoted", () => {
  const ledger = (tensors: readonly LedgerTensor[]): Ledger => ({
    tensors,
    tensorBytes: tensors.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    roles: [],
    sideFiles: [],
    shards: [{ name: "", sizeBytes: 0, headerBytes: 0, tensors: 0 }],
  });
  expect(treeCaption(ledger([])).strong).toBe("No tensors in one file.");
  expect(treeCaption(ledger([tensor("a")]))).toEqual({ strong: "1 tensor in one file.", plain: "" });
  const { plain } = treeCaption(ledger([tensor("a"), tensor(`\u202e${"x".repeat(300)}`, { sizeBytes: 36 })]));
  expect(plain).toBe(`The largest, \\u{202e}${"x".repeat(47)}…, has 75.0 % of the bytes.`);
});
