/** `vectors` vectors of 16 bytes from one buffer to another. */
export function copy(uniforms: usize, input: usize, output: usize, begin: u32, end: u32): void {
  memory.copy(output + (<usize>begin << 12), input + (<usize>begin << 12), (<usize>min(end << 8, load<u32>(uniforms)) << 4) - (<usize>begin << 12));
}
