/** The same memory as float32: how kernels see it whose buffers are arrays of words. */
export function asFloats({ buffer, byteOffset, length }: Uint32Array): Float32Array {
  return new Float32Array(buffer, byteOffset, length);
}
