import type { Role } from "./byte-strip-looks.ts";

/** The tensors of one role. */
export interface ByteStripRole {
  readonly role: Role;
  readonly tensors: number;
  readonly weights: number;
  readonly bytes: number;
  /** Of all bytes, 0 to 1. */
  readonly share: number;
  /** How many of its tensors a scheme takes, and their bytes. */
  readonly taken: { readonly tensors: number; readonly bytes: number };
}

/** One decoder layer, or the tensors of one role outside of the layers. */
export interface ByteStripPlace {
  /** Number of the layer; null outside of them. */
  readonly layer: number | null;
  readonly bytes: number;
  readonly parts: readonly { readonly role: Role; readonly bytes: number }[];
}

/** Where the bytes of a checkpoint lie. */
export interface ByteStripData {
  readonly bytes: number;
  /** Most bytes first. */
  readonly roles: readonly ByteStripRole[];
  /** In the order in which data walks through the model. */
  readonly places: readonly ByteStripPlace[];
  readonly chosen: Role | null;
}

/** A column of the lower strip: a place, or layers that are too many for a pixel each. */
export interface ByteStripColumn extends ByteStripPlace {
  /** The last of several layers; equal to `layer` where it is one. */
  readonly last: number | null;
}
