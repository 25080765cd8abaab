import type { ErrorCode } from "../../src/base/errors.ts";

/** A row of fixtures/hostile/manifest.json; the README beside the original says what the fields mean. */
export interface HostileCase {
  readonly id: string;
  readonly kind: "safetensors" | "weights" | "sharded" | "config" | "tokenizer";
  /** Path in fixtures/hostile. */
  readonly file: string;
  /** Of `sharded`: all files of the folder that `file` lies in. */
  readonly files?: readonly string[];
  readonly what: string;
  readonly rule: string;
  readonly expect: "accept" | "reject" | "either";
  readonly tensors?: number | null;
  /** 1 and 2: `expect` must be met. 3: readers disagree. */
  readonly tier: 1 | 2 | 3;
  /** Of `weights`: what its numbers are. */
  readonly facts?: Readonly<Partial<Record<WeightsFact, number>>> | null;
  readonly limits: { readonly ms: number; readonly heapMB: number };
  /** Of `tokenizer`: a text to encode within a second. */
  readonly probe?: string;
}

/** A count of the weights of a `weights` case. */
export type WeightsFact = "count" | "nan" | "posInf" | "negInf" | "zero" | "negZero" | "subnormal";

/** What the lab must make of a case, in Node and in the browser. */
export type HostileExpectation =
  | { readonly outcome: "accept" }
  | { readonly outcome: "reject"; readonly code: ErrorCode; readonly rule: string };

/**
 * The cases that the lab refuses, by the code of the refusal; of a config.json: whose weights stay usable while the KV cache
 * is off; of a tokenizer: as it is opened or at its probe. All others it accepts.
 */
const REFUSALS: Partial<Record<ErrorCode, readonly string[]>> = {
  "safetensors/header-too-small": ["len_file_0", "len_file_1", "len_file_7"],
  "safetensors/header-too-long": ["len_cap_plus_1", "len_big_endian", "not_safetensors_lfs"],
  "safetensors/header-past-end": ["len_past_eof_by_1"],
  "safetensors/header-not-utf8": ["utf8_ff", "utf8_overlong"],
  "safetensors/header-not-json": ["len_plus_1", "len_minus_1", "utf16le", "json_trailing_nbsp", "json_control_char"],
  "safetensors/header-too-deep": ["json_depth_128", "json_depth_5000"],
  "safetensors/header-not-object": ["json_top_array", "json_top_string"],
  "safetensors/bad-metadata": ["meta_value_null", "meta_value_object", "meta_value_bool"],
  "safetensors/bad-entry": ["entry_missing_data_offsets"],
  "safetensors/duplicate-key": ["dup_field"],
  "safetensors/duplicate-name": ["dup_tensor_same", "dup_tensor_last_bad", "dup_tensor_first_malformed"],
  "safetensors/unknown-dtype": [
    ...["dtype_bad_F8_E4M3FN", "dtype_bad_UE8", "dtype_bad_I4", "dtype_bad_BF16_sp", "dtype_bad_toString"],
    "dtype_bad_constructor",
  ],
  "safetensors/dtype-as-object": ["dtype_as_object"],
  "safetensors/bad-shape": [
    ...["shape_object", "shape_dim_negative", "shape_dim_float", "shape_dim_fraction", "shape_dim_1e30"],
  ],
  "safetensors/dimension-too-large": ["zero_times_u64_max", "zero_after_u64_max"],
  "safetensors/bad-data-offsets": [
    ...["offsets_negative", "offsets_float_zero", "offsets_len1", "offsets_len3", "offsets_nested"],
  ],
  "safetensors/invalid-offset": ["layout_same_range", "layout_reversed_single", "layout_zero_mid"],
  "safetensors/shape-overflow": ["ovf_product"],
  "safetensors/size-overflow": ["ovf_bytes"],
  "safetensors/misaligned-size": ["f4_odd", "f4_scalar"],
  "safetensors/size-mismatch": ["size_too_small", "size_scalar_lie", "ovf_2_53_rounding"],
  "safetensors/trailing-bytes": ["layout_trailing", "layout_trailing_1", "layout_empty_trailing"],
  "safetensors/truncated": ["layout_truncated_1", "layout_truncated_all", "sh_bad_shard"],
  "checkpoint/bad-shard-name": [
    ...["sh_path_dotdot", "sh_path_scheme_relative", "sh_path_data_url", "sh_path_nul", "sh_path_self", "sh_path_html"],
    "sh_subfolder",
  ],
  "checkpoint/missing-shard": ["sh_missing_shard"],
  "checkpoint/missing-tensor": ["sh_missing_tensor"],
  "checkpoint/duplicate-tensor": ["sh_duplicate_tensor"],
  "checkpoint/bad-index": ["sh_index_missing", "sh_index_array"],
  "checkpoint/duplicate-key": ["sh_dup_key"],
  "config/bad-value": [
    ...["cfg_layers_negative", "cfg_layers_1e9", "cfg_heads_negative", "cfg_kv_more", "cfg_vocab_zero"],
    "cfg_positions_1e12",
  ],
  "config/missing-key": ["cfg_layers_null", "cfg_missing_hidden", "cfg_missing_heads"],
  "config/not-an-object": ["cfg_file_array"],
  "tokenizer/too-slow": ["tok_redos_nested", "tok_redos_words"],
  "tokenizer/bad-pattern": ["tok_regex_syntax"],
  "tokenizer/grows": ["tok_replace_grow"],
  "tokenizer/bad-id": ["tok_id_negative", "tok_id_fraction", "tok_id_null", "tok_id_sparse_4e9"],
  "tokenizer/bad-vocabulary": ["tok_vocab_null", "tok_vocab_string", "tok_vocab_empty"],
  "tokenizer/bad-merges": ["tok_merges_arity"],
  "tokenizer/missing-token": ["tok_unk_missing", "tok_template_missing"],
  "tokenizer/unknown-model": ["tok_type_unknown"],
  "tokenizer/bad-score": ["tok_unigram_null_score"],
  "json/syntax": ["cfg_lit_nan", "cfg_lit_infinity", "cfg_lit_hex", "cfg_file_html"],
  "json/not-utf8": ["cfg_file_utf16", "cfg_file_bad_utf8"],
  "json/duplicate-key": ["cfg_dup_keys"],
  "json/too-deep": ["cfg_deep"],
};

/**
 * Cases that another rule refuses than the manifest names: a name that occurs twice never gets as far as its size, a bad
 * shard keeps the rule of its own format, and a dimension is too large whatever stands beside it.
 */
const OTHER_RULE: ReadonlyMap<string, string> = new Map([
  ["dup_tensor_last_bad", "S13"],
  ["dup_tensor_first_malformed", "S13"],
  ["sh_bad_shard", "S19"],
  ["zero_times_u64_max", "S11"],
  ["zero_after_u64_max", "S11"],
]);

const CODE_OF_CASE: ReadonlyMap<string, ErrorCode> = new Map(
  Object.entries(REFUSALS).flatMap(([code, ids]) => (ids ?? []).map((id) => [id, code as ErrorCode] as const)),
);

/**
 * What the lab must make of a case. Throws where this file and the manifest say different things, so that neither can be
 * bent to the other's mistakes.
 */
export function expectationOf({ id, rule, expect, tier }: HostileCase): HostileExpectation {
  const code = CODE_OF_CASE.get(id);
  const outcome = code === undefined ? "accept" : "reject";
  if (tier < 3 && expect !== "either" && outcome !== expect) throw new Error(`${id}: the manifest says ${expect}`);
  return code === undefined ? { outcome: "accept" } : { outcome: "reject", code, rule: OTHER_RULE.get(id) ?? rule };
}
