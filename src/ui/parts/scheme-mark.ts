import { html, nothing, svg, type TemplateResult } from "lit";
import type { Method } from "../../schemes/method.ts";
import { parseRecipe, parseScheme } from "../../schemes/recipe.ts";
import type { Scheme } from "../../schemes/scheme.ts";

/** How one scheme looks. */
export interface SchemeFill {
  /** The colour class: hue is the number family, distance from the paper the bits. */
  readonly family: string;
  /** Activations are rounded too. */
  readonly isHollow: boolean;
}

/** How a recipe looks. */
export interface RecipeLook {
  /** One scheme; two halves where groups differ, the first and the last; none where nothing is quantized. */
  readonly fills: readonly SchemeFill[];
  readonly isPruned: boolean;
  /** What a method makes of the circle of plain rounding; of several the first. Halves stay halves. */
  readonly shape?: MethodShape;
}

/** GPTQ a diamond, AWQ a triangle, SmoothQuant a square. */
export type MethodShape = "diamond" | "triangle" | "square";

/** The colour class of what is no integer scheme: the original, and what is only pruned. */
const ORIGINAL = "orig";

/** The look of a checkpoint as it came. */
export const ORIGINAL_LOOK: RecipeLook = { fills: [{ family: ORIGINAL, isHollow: false }], isPruned: false };

/** The look of a recipe; that of the original where `spec` cannot be read. */
export function recipeLook(spec: string): RecipeLook {
  try {
    const { pruning, groups, method } = parseRecipe(spec);
    const shape = shapeOf(method);
    const fills = groups.map(({ scheme }) => fillOf(scheme));
    const [first, last] = [fills[0], fills.at(-1)];
    const isMixed = fills.some((fill) => fill.family !== first?.family || fill.isHollow !== first.isHollow);
    const shown = isMixed ? [first, last] : [first];
    return { fills: shown.filter((fill) => fill !== undefined), isPruned: pruning !== null, ...(shape && { shape }) };
  } catch {
    return ORIGINAL_LOOK;
  }
}

function shapeOf({ transforms, rounding }: Method): MethodShape | null {
  const [first] = transforms;
  if (first !== undefined) return first.kind === "awq" ? "triangle" : "square";
  return rounding.kind === "gptq" ? "diamond" : null;
}

/** The outline of a shape about as large as the circle of radius 4.4 · `scale` around a place. */
export function shapePath(shape: MethodShape, x: number, y: number, scale = 1): string {
  const step = (dx: number, dy: number): string => `${dx * scale} ${dy * scale}`;
  const paths = {
    diamond: [0, -5.4, 5.4, 5.4, -5.4, 5.4, -5.4, -5.4],
    triangle: [0, -5.4, 5.6, 9.4, -11.2, 0],
    square: [-4, -4, 8, 0, 0, 8, -8, 0],
  };
  const [dx = 0, dy = 0, ...rest] = paths[shape];
  const lines = rest.flatMap((move, at) => (at % 2 === 0 ? [`l${step(move, rest[at + 1] ?? 0)}`] : []));
  return `M${x + dx * scale} ${y + dy * scale}${lines.join("")}z`;
}

/** The colour class of the one scheme of a matrix; null where it is only pruned. */
export function schemeFamily(scheme: string | null): string {
  if (scheme === null) return ORIGINAL;
  try {
    return fillOf(parseScheme(scheme)).family;
  } catch {
    return ORIGINAL;
  }
}

function fillOf({ weights, inputActivations }: Scheme): SchemeFill {
  return { family: `${weights.type}${weights.bits}`, isHollow: inputActivations !== null };
}

/** The halves of a circle with a slit between them. */
const HALVES = ["M6.4 2.7a4.35 4.35 0 0 0 0 8.6z", "M7.6 2.7a4.35 4.35 0 0 1 0 8.6z"] as const;

/**
 * The mark of a recipe. A circle is plain rounding, another shape a method, hollow means that activations are rounded too, two halves are two of
 * its schemes, a cross is pruning. For eyes only: its name stands beside it.
 */
export function recipeMark({ fills, isPruned, shape }: RecipeLook): TemplateResult {
  const [only] = fills;
  const body =
    fills.length > 1
      ? fills.map((fill, at) => svg`<path class=${fillClass(fill)} d=${HALVES[at] ?? ""}></path>`)
      : only && shape
        ? svg`<path class=${fillClass(only)} d=${shapePath(shape, 7, 7)}></path>`
        : only && svg`<circle class=${fillClass(only)} cx="7" cy="7" r="4.4"></circle>`;
  const cross = only === undefined || only.isHollow ? "cross" : "cross inside";
  return html`<svg class="mark" viewBox="0 0 14 14" width="14" height="14" aria-hidden="true">
    ${body ?? nothing}
    ${isPruned ? svg`<path class="${cross} ${only?.family ?? ORIGINAL}" d=${only === undefined ? "M2.5 2.5l9 9m0-9l-9 9" : "M4.6 4.6l4.8 4.8m0-4.8l-4.8 4.8"}></path>` : nothing}
  </svg>`;
}

function fillClass({ family, isHollow }: SchemeFill): string {
  return isHollow ? `fill hollow ${family}` : `fill ${family}`;
}
