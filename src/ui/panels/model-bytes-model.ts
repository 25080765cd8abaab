import { formatBytes, formatCount } from "../../base/format.ts";
import type { Ledger, LedgerTensor, TensorRole } from "../../engine/ledger.ts";
import { DEFAULT_IGNORE, moduleMatcher } from "../../schemes/targets.ts";
import type { ByteStripData, ByteStripPlace } from "../charts/byte-strip-data.ts";
import { roleName } from "../charts/byte-strip-looks.ts";

/** Roles outside of the layers that data meets before them, and after. */
const BEFORE: readonly TensorRole[] = ["embedding"];
const AFTER: readonly TensorRole[] = ["other", "norm", "head"];

/** What the picture draws of a ledger. A scheme takes what it can, but for the modules that are left alone by default. */
export function byteStripOf(
  ledger: Pick<Ledger, "roles" | "tensors" | "tensorBytes">,
  chosen: TensorRole | null,
): ByteStripData {
  const isIgnored = moduleMatcher(DEFAULT_IGNORE);
  const taken = ledger.tensors.filter((tensor) => tensor.isQuantizable && !isIgnored(moduleOf(tensor.name)));
  return {
    bytes: ledger.tensorBytes,
    roles: ledger.roles.map(({ role, tensors, weights, bytes, share }) => {
      const own = taken.filter((tensor) => tensor.role === role);
      return {
        role,
        tensors,
        weights,
        bytes: bytes.value,
        share: share.value,
        taken: { tensors: own.length, bytes: sumOf(own) },
      };
    }),
    places: placesOf(ledger.tensors),
    // A role may stay chosen while another model is opened that has none of it: nothing is faded then.
    chosen: ledger.roles.some(({ role }) => role === chosen) ? chosen : null,
  };
}

/** Tensors by the layer they belong to, those outside of the layers by their role, in the order in which data meets them. */
function placesOf(tensors: readonly LedgerTensor[]): readonly ByteStripPlace[] {
  const layers = new Map<number, Map<TensorRole, number>>();
  const outside = new Map<TensorRole, number>();
  for (const { layer, role, sizeBytes } of tensors) {
    let bytes = layer === null ? outside : layers.get(layer);
    if (bytes === undefined) {
      bytes = new Map();
      layers.set(layer as number, bytes);
    }
    bytes.set(role, (bytes.get(role) ?? 0) + sizeBytes);
  }
  const alone = (roles: readonly TensorRole[]): readonly ByteStripPlace[] =>
    roles.flatMap((role) => {
      const bytes = outside.get(role);
      return bytes === undefined ? [] : [{ layer: null, bytes, parts: [{ role, bytes }] }];
    });
  return [
    ...alone(BEFORE),
    ...[...layers]
      .sort(([a], [b]) => a - b)
      .map(([layer, bytes]): ByteStripPlace => {
        const parts = [...bytes].map(([role, sum]) => ({ role, bytes: sum }));
        return { layer, bytes: parts.reduce((sum, part) => sum + part.bytes, 0), parts };
      }),
    // A role that stands before or among the layers by habit and here stands outside of them: attention, MLP.
    ...alone(["attention", "mlp"]),
    ...alone(AFTER),
  ];
}

/** What the chosen role holds, and that the rest of the page follows it. */
export function chosenWords(ledger: Ledger, role: TensorRole): string {
  const total = ledger.roles.find((candidate) => candidate.role === role);
  if (total === undefined) return `${roleName(role)}: no tensor here`;
  const many = `${formatCount(total.tensors)} ${total.tensors === 1 ? "tensor" : "tensors"}`;
  return `${roleName(role)}: ${many}, ${formatBytes(total.bytes.value)}`;
}

/** The name of the module whose weight this is. */
function moduleOf(tensorName: string): string {
  return tensorName.slice(0, Math.max(0, tensorName.lastIndexOf(".")));
}

function sumOf(tensors: readonly LedgerTensor[]): number {
  return tensors.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}

/** Bytes of quantlab-4m, the bundled model: what stands dimmed where there is no model yet. */
const EXAMPLE_LAYERS = 4;
const EXAMPLE_BYTES = { embedding: 1_048_576, attention: 393_216, mlp: 1_179_648, norm: 1024, lastNorm: 512 } as const;

export const EXAMPLE: ByteStripData = exampleOf(EXAMPLE_BYTES, EXAMPLE_LAYERS);

function exampleOf({ embedding, attention, mlp, norm, lastNorm }: typeof EXAMPLE_BYTES, layers: number): ByteStripData {
  const perLayer = [
    { role: "attention", bytes: attention },
    { role: "mlp", bytes: mlp },
    { role: "norm", bytes: norm },
  ] as const;
  const bytes = embedding + layers * (attention + mlp + norm) + lastNorm;
  const total = (role: TensorRole, sum: number, tensors: number, taken: number) => ({
    role,
    tensors,
    weights: sum / 2,
    bytes: sum,
    share: sum / bytes,
    taken: { tensors: taken, bytes: taken === 0 ? 0 : sum },
  });
  return {
    bytes,
    roles: [
      total("mlp", layers * mlp, 3 * layers, 3 * layers),
      total("attention", layers * attention, 4 * layers, 4 * layers),
      total("embedding", embedding, 1, 0),
      total("norm", layers * norm + lastNorm, 2 * layers + 1, 0),
    ],
    places: [
      { layer: null, bytes: embedding, parts: [{ role: "embedding", bytes: embedding }] },
      ...Array.from({ length: layers }, (_, layer) => ({ layer, bytes: attention + mlp + norm, parts: perLayer })),
      { layer: null, bytes: lastNorm, parts: [{ role: "norm", bytes: lastNorm }] },
    ],
    chosen: null,
  };
}
