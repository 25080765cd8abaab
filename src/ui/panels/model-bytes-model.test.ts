import { describe, expect, test } from "vitest";
import { computed } from "../../base/quantity.ts";
import type { Ledger, LedgerTensor, RoleTotal, TensorRole } from "../../engine/ledger.ts";
import { byteStripChart } from "../charts/byte-strip.ts";
import { byteStripOf, chosenWords, EXAMPLE } from "./model-bytes-model.ts";

function tensor(
  name: string,
  role: TensorRole,
  layer: number | null,
  sizeBytes: number,
  isQuantizable: boolean,
): LedgerTensor {
  return {
    name,
    dtype: "BF16",
    shape: [sizeBytes / 2],
    weights: sizeBytes / 2,
    sizeBytes,
    shard: 0,
    role,
    layer,
    isQuantizable,
  };
}

function ledger(tensors: readonly LedgerTensor[]): Ledger {
  const all = tensors.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const roles = [...new Set(tensors.map(({ role }) => role))].map((role): RoleTotal => {
    const own = tensors.filter((one) => one.role === role);
    const bytes = own.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    return {
      role,
      tensors: own.length,
      weights: bytes / 2,
      bytes: computed(bytes, "bytes", ""),
      share: computed(bytes / all, "ratio", ""),
    };
  });
  roles.sort((a, b) => b.bytes.value - a.bytes.value);
  return { shards: [], tensors, tensorBytes: all, roles, sideFiles: [] };
}

/** quantlab-4m as its header has it. */
const SMALL = ledger([
  tensor("model.embed_tokens.weight", "embedding", null, 1_048_576, true),
  ...[0, 1, 2, 3].flatMap((layer) => [
    tensor(`model.layers.${layer}.input_layernorm.weight`, "norm", layer, 512, false),
    ...["down", "gate", "up"].map((kind) =>
      tensor(`model.layers.${layer}.mlp.${kind}_proj.weight`, "mlp", layer, 393_216, true),
    ),
    tensor(`model.layers.${layer}.post_attention_layernorm.weight`, "norm", layer, 512, false),
    ...["k", "v"].map((kind) =>
      tensor(`model.layers.${layer}.self_attn.${kind}_proj.weight`, "attention", layer, 65_536, true),
    ),
    ...["q", "o"].map((kind) =>
      tensor(`model.layers.${layer}.self_attn.${kind}_proj.weight`, "attention", layer, 131_072, true),
    ),
  ]),
  tensor("model.norm.weight", "norm", null, 512, false),
]);

describe("what the picture draws of a ledger", () => {
  test("the dimmed example is the bundled model", () => {
    const sorted = ({ places, ...rest }: typeof EXAMPLE) => ({
      ...rest,
      places: places.map(({ parts, ...place }) => ({ ...place, parts: [...parts].sort((a, b) => a.bytes - b.bytes) })),
    });
    expect(sorted(byteStripOf(SMALL, null))).toEqual(sorted(EXAMPLE));
  });

  test("embedding and head can be quantized, and are left alone by default", () => {
    const data = byteStripOf(SMALL, null);
    expect(data.roles.map(({ role, taken }) => `${role} ${taken.tensors}`)).toEqual([
      "mlp 12",
      "attention 16",
      "embedding 0",
      "norm 0",
    ]);
    expect(byteStripChart.caption(data).strong).toBe(
      "85.7 % of the bytes are MLP and attention: 28 matrices that a scheme can shrink.",
    );
  });

  test("places follow the way of the data, layers by number, and hold every byte once", () => {
    const data = byteStripOf(
      ledger([
        tensor("lm_head.weight", "head", null, 8, true),
        tensor("model.norm.weight", "norm", null, 2, false),
        tensor("h.10.mlp.weight", "mlp", 10, 6, true),
        tensor("h.2.mlp.weight", "mlp", 2, 4, true),
        tensor("h.2.mlp.bias", "mlp", 2, 2, false),
        tensor("projector.attn.weight", "attention", null, 4, true),
        tensor("vision.weight", "other", null, 6, true),
        tensor("wte.weight", "embedding", null, 8, true),
      ]),
      "mlp",
    );
    expect(data.places.map(({ layer, parts, bytes }) => `${layer ?? parts[0]?.role} ${bytes}`)).toEqual([
      "embedding 8",
      "2 6",
      "10 6",
      "attention 4",
      "other 6",
      "norm 2",
      "head 8",
    ]);
    expect(data.places.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(data.bytes);
    expect(data.chosen).toBe("mlp");
  });
});

test("a chosen role is told with its tensors, also where the next model has none", () => {
  expect(chosenWords(SMALL, "embedding")).toBe("Embedding: 1 tensor, 1.05 MB");
  expect(chosenWords(SMALL, "mlp")).toBe("MLP: 12 tensors, 4.72 MB");
  expect(chosenWords(SMALL, "head")).toBe("Head: no tensor here");
  expect(byteStripOf(SMALL, "head").chosen).toBeNull();
});
