import { quote } from "../../base/errors.ts";
import { formatBytes, formatCount } from "../../base/format.ts";
import { type Ledger, type LedgerTensor, shareOfBytes, type TensorRole } from "../../engine/ledger.ts";
import { DEFAULT_IGNORE, moduleMatcher } from "../../schemes/targets.ts";
import { roleWord, shareWords } from "../charts/byte-strip-looks.ts";
import { shortName } from "../parts/safe-name.ts";

/** A name may have thousands of dots; what comes after this many parts stays one label. Real names have some ten. */
const MOST_PARTS = 16;

/** A tensor, or the part of a name that several share. */
export interface TreeNode {
  /** Unique in the tree, the same in a filtered one. */
  readonly key: string;
  /** Parts of the name, joined by dots. Untrusted. */
  readonly label: string;
  /** The name from its start to here. Untrusted. */
  readonly path: string;
  /** Null for what has children. */
  readonly tensor: LedgerTensor | null;
  readonly children: readonly TreeNode[];
  /** Sums over the tensors below, or of the tensor. */
  readonly tensors: number;
  readonly weights: number;
  readonly sizeBytes: number;
}

/** A place in a tree while it is built. A name may be both a tensor and the start of other names. */
interface Branch {
  readonly branches: Map<string, Branch>;
  readonly leaves: { readonly label: string; readonly tensor: LedgerTensor }[];
}

/** Tensors by the parts of their names, numbers in their order; a part that has one child alone is joined with it. */
export function buildTree(tensors: readonly LedgerTensor[]): readonly TreeNode[] {
  const root = newBranch();
  for (const tensor of tensors) {
    const parts = nameParts(tensor.name);
    let branch = root;
    for (const part of parts.slice(0, -1)) {
      let next = branch.branches.get(part);
      if (next === undefined) {
        next = newBranch();
        branch.branches.set(part, next);
      }
      branch = next;
    }
    branch.leaves.push({ label: parts.at(-1) ?? "", tensor });
  }
  return childrenOf(root, "");
}

function newBranch(): Branch {
  return { branches: new Map(), leaves: [] };
}

function nameParts(name: string): readonly string[] {
  const parts = name.split(".", MOST_PARTS);
  const read = parts.reduce((sum, part) => sum + part.length + 1, 0);
  return read > name.length ? parts : [...parts.slice(0, -1), `${parts.at(-1)}.${name.slice(read)}`];
}

/** @param prefix the name up to these children, with its dot */
function childrenOf(branch: Branch, prefix: string): readonly TreeNode[] {
  const leaves = branch.leaves.map(({ label, tensor }) => leaf(label, tensor));
  const inner = [...branch.branches].map(([label, below]) => branchNode(label, prefix + label, below));
  // Split once, not at each comparison: there may be ten thousand.
  const split = [...leaves, ...inner].map((node) => ({ node, chunks: chunksOf(node.label) }));
  return split.sort((a, b) => compareChunks(a.chunks, b.chunks)).map(({ node }) => node);
}

function leaf(label: string, tensor: LedgerTensor): TreeNode {
  const { name, weights, sizeBytes } = tensor;
  return { key: `tensor ${name}`, label, path: name, tensor, children: [], tensors: 1, weights, sizeBytes };
}

function branchNode(label: string, path: string, branch: Branch): TreeNode {
  return joined({ key: `part ${path}`, label, path, tensor: null, children: childrenOf(branch, `${path}.`) });
}

/** The only child of a node under both their labels, or the node with the sums of its children. */
function joined(node: Omit<TreeNode, "tensors" | "weights" | "sizeBytes">): TreeNode {
  const [only] = node.children;
  if (only !== undefined && node.children.length === 1) return { ...only, label: `${node.label}.${only.label}` };
  let [tensors, weights, sizeBytes] = [0, 0, 0];
  for (const child of node.children) {
    tensors += child.tensors;
    weights += child.weights;
    sizeBytes += child.sizeBytes;
  }
  return { ...node, tensors, weights, sizeBytes };
}

/** Names in the order in which people count: `h.2` before `h.10`. */
export function compareNames(a: string, b: string): number {
  return compareChunks(chunksOf(a), chunksOf(b));
}

function compareChunks(left: readonly string[], right: readonly string[]): number {
  for (let at = 0; at < Math.min(left.length, right.length); at++) {
    const [one = "", other = ""] = [left[at], right[at]];
    if (one === other) continue;
    return isNumber(one) && isNumber(other) ? compareDigits(one, other) : compareText(one, other);
  }
  return left.length - right.length;
}

function chunksOf(name: string): readonly string[] {
  return name.match(/\d+|\D+/g) ?? [];
}

function isNumber(chunk: string): boolean {
  return /^\d/.test(chunk);
}

/** By value, however many digits; `007` after `7`. */
function compareDigits(a: string, b: string): number {
  const [one, other] = [a, b].map((digits) => digits.replace(/^0+(?=\d)/, "")) as [string, string];
  return one.length - other.length || compareText(one, other) || a.length - b.length;
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Which tensors are shown: those of a role whose name contains what is searched for, upper or lower case. */
export interface TreeFilter {
  readonly role: TensorRole | null;
  readonly query: string;
}

export function matcherOf({ role, query }: TreeFilter): (tensor: LedgerTensor) => boolean {
  const wanted = query.toLowerCase();
  return (tensor) => (role === null || tensor.role === role) && tensor.name.toLowerCase().includes(wanted);
}

/** The tree of the tensors that match, with their sums, joined anew; a node keeps its key. */
export function filterTree(
  nodes: readonly TreeNode[],
  isMatch: (tensor: LedgerTensor) => boolean,
): readonly TreeNode[] {
  return nodes.flatMap((node) => {
    if (node.tensor !== null) return isMatch(node.tensor) ? [node] : [];
    const children = filterTree(node.children, isMatch);
    return children.length === 0 ? [] : [joined({ ...node, children })];
  });
}

/** Keys of the nodes to open, level by level, as long as no more than `most` rows are shown. */
export function openedTo(nodes: readonly TreeNode[], most: number): ReadonlySet<string> {
  const opened = new Set<string>();
  let rows = nodes.length;
  let level = nodes;
  while (level.length > 0) {
    const below = level.flatMap(({ children }) => children);
    rows += below.length;
    if (rows > most) return opened;
    for (const { key, tensor } of level) if (tensor === null) opened.add(key);
    level = below;
  }
  return opened;
}

/** Keys of the nodes that lead to a tensor; empty where it is not in the tree. */
export function pathTo(nodes: readonly TreeNode[], tensorName: string): readonly string[] {
  for (const { key, tensor, path, children } of nodes) {
    if (tensor !== null || !tensorName.startsWith(`${path}.`)) continue;
    if (children.some((child) => child.tensor?.name === tensorName)) return [key];
    const below = pathTo(children, tensorName);
    if (below.length > 0) return [key, ...below];
  }
  return [];
}

/** One row of the tree as it is shown. */
export interface TreeRow {
  readonly key: string;
  /** Null: the row shows more of its siblings. */
  readonly node: TreeNode | null;
  /** Siblings that the row stands for, where it has no node. */
  readonly more: number;
  /** 1 at the root. */
  readonly level: number;
  readonly parent: string | null;
  /** Place among its siblings from 1, and how many they are. */
  readonly place: number;
  readonly siblings: number;
  /** Null for a tensor. */
  readonly isOpen: boolean | null;
  readonly children: readonly TreeRow[];
}

/** Rows of one node that are shown at once; as many more come when they are asked for. */
export const PAGE_ROWS = 500;

/** Key of a parent that the roots do not have. */
const ROOT = "root";

/** What is shown of a tree. `pages`: how many pages of a node's children, where it is more than one. */
export function rowsOf(
  nodes: readonly TreeNode[],
  isOpen: (key: string) => boolean,
  pages: ReadonlyMap<string, number>,
  parent: string | null = null,
  level = 1,
): readonly TreeRow[] {
  const shown = PAGE_ROWS * (pages.get(parent ?? ROOT) ?? 1);
  const rows = nodes.slice(0, shown).map((node, at): TreeRow => {
    const open = node.tensor === null && isOpen(node.key);
    return {
      key: node.key,
      node,
      more: 0,
      level,
      parent,
      place: at + 1,
      siblings: nodes.length,
      isOpen: node.tensor === null ? open : null,
      children: open ? rowsOf(node.children, isOpen, pages, node.key, level + 1) : [],
    };
  });
  if (nodes.length <= shown) return rows;
  const more: TreeRow = {
    key: `more ${parent ?? ROOT}`,
    node: null,
    more: nodes.length - shown,
    level,
    parent,
    place: shown + 1,
    siblings: nodes.length,
    isOpen: null,
    children: [],
  };
  return [...rows, more];
}

/** The number of pages after one more of a node's children. */
export function withPage(pages: ReadonlyMap<string, number>, parent: string | null): ReadonlyMap<string, number> {
  const key = parent ?? ROOT;
  return new Map(pages).set(key, (pages.get(key) ?? 1) + 1);
}

/** Rows as they stand below each other. */
export function flatRows(rows: readonly TreeRow[]): readonly TreeRow[] {
  return rows.flatMap((row) => [row, ...flatRows(row.children)]);
}

/** What a key does in the tree: lead to a row, open or close one. */
export type TreeStep =
  | { readonly kind: "go"; readonly key: string }
  | { readonly kind: "open" | "close"; readonly key: string };

/** The ARIA tree pattern, without Enter and letters. Null where the key does nothing there. */
export function stepTree(rows: readonly TreeRow[], from: string, key: string): TreeStep | null {
  const at = rows.findIndex((row) => row.key === from);
  const row = rows[at];
  if (row === undefined) return null;
  const go = (to: TreeRow | undefined): TreeStep | null => (to === undefined ? null : { kind: "go", key: to.key });
  switch (key) {
    case "ArrowDown":
      return go(rows[at + 1]);
    case "ArrowUp":
      return go(rows[at - 1]);
    case "Home":
      return go(rows[0]);
    case "End":
      return go(rows.at(-1));
    case "ArrowRight":
      if (row.isOpen === false) return { kind: "open", key: row.key };
      return row.isOpen ? go(row.children[0]) : null;
    case "ArrowLeft":
      if (row.isOpen) return { kind: "close", key: row.key };
      return go(rows.find((candidate) => candidate.key === row.parent));
    default:
      return null;
  }
}

/**
 * The next row whose label begins with what was typed, after `from` and around; with several letters the row itself counts,
 * so that one can go on typing.
 */
export function typedRow(rows: readonly TreeRow[], from: string, typed: string): string | null {
  const start = rows.findIndex((row) => row.key === from) + (typed.length > 1 ? 0 : 1);
  const order = [...rows.slice(Math.max(0, start)), ...rows.slice(0, Math.max(0, start))];
  const wanted = typed.toLowerCase();
  return order.find(({ node }) => node?.label.toLowerCase().startsWith(wanted))?.key ?? null;
}

/** The module that a matrix is the weight of, or null for a tensor that no scheme can take. */
export function moduleOf(tensor: LedgerTensor | null): string | null {
  return tensor?.isQuantizable ? tensor.name.slice(0, Math.max(0, tensor.name.lastIndexOf("."))) : null;
}

/** What schemes do with a tensor: take it, take it only where they are asked to, or nothing. */
export type Use = "taken" | "on-request" | "none";

const isIgnored = moduleMatcher(DEFAULT_IGNORE);

export function useOf(tensor: LedgerTensor): Use {
  const module = moduleOf(tensor);
  return module === null ? "none" : isIgnored(module) ? "on-request" : "taken";
}

/** Marks of what schemes take, and their words. */
export const USE_MARKS: Readonly<Record<Use, { readonly glyph: string; readonly words: string }>> = {
  taken: { glyph: "↓", words: "a scheme shrinks it" },
  "on-request": { glyph: "(↓)", words: "left alone unless you ask" },
  none: { glyph: "", words: "" },
};

/** `[768, 256]`; a scalar has none. */
export function shapeWords(shape: readonly number[]): string {
  return shape.length === 0 ? "scalar" : `[${shape.join(", ")}]`;
}

/** What a row says to those who do not see it. */
export function rowWords(row: TreeRow, ledger: Pick<Ledger, "tensorBytes">, hasShards: boolean): string {
  const { node } = row;
  if (node === null) return moreWords(row.more);
  const share = ledger.tensorBytes > 0 ? `, ${shareWords(shareOfBytes(node.sizeBytes, ledger))} of the bytes` : "";
  const bytes = `${formatBytes(node.sizeBytes)}${share}`;
  const { tensor } = node;
  if (tensor === null) {
    return `${quote(node.label)}: ${tensorCount(node.tensors)}, ${formatCount(node.weights)} weights, ${bytes}`;
  }
  const { words } = USE_MARKS[useOf(tensor)];
  const parts = [
    roleWord(tensor.role),
    `${quote(tensor.dtype)} ${shapeWords(tensor.shape)}`,
    bytes,
    ...(hasShards ? [`in file ${tensor.shard + 1}`] : []),
    ...(words === "" ? [] : [words]),
  ];
  return `${quote(node.label)}: ${parts.join(", ")}`;
}

export function moreWords(more: number): string {
  return more > PAGE_ROWS ? `Show ${PAGE_ROWS} more of ${formatCount(more)}` : `Show ${formatCount(more)} more`;
}

export function tensorCount(tensors: number): string {
  return `${formatCount(tensors)} ${tensors === 1 ? "tensor" : "tensors"}`;
}

/** `12 of 290`. */
export function foundWords(found: number, all: number): string {
  return `${formatCount(found)} of ${formatCount(all)}`;
}

/** How many tensors there are, and which one weighs most. */
export function treeCaption(ledger: Ledger): { readonly strong: string; readonly plain: string } {
  const { tensors, shards } = ledger;
  const files = shards.length === 1 ? "one file" : `${formatCount(shards.length)} files`;
  const strong = tensors.length === 0 ? `No tensors in ${files}.` : `${tensorCount(tensors.length)} in ${files}.`;
  let largest = tensors[0];
  for (const tensor of tensors) {
    if (largest === undefined || tensor.sizeBytes > largest.sizeBytes) largest = tensor;
  }
  if (largest === undefined || tensors.length === 1 || ledger.tensorBytes === 0) return { strong, plain: "" };
  const share = shareWords(shareOfBytes(largest.sizeBytes, ledger));
  return { strong, plain: `The largest, ${shortName(largest.name)}, has ${share} of the bytes.` };
}
