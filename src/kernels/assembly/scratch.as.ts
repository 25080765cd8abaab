/** Address of 16 KiB of memory that belongs to this thread alone. */
export let scratch: usize = 0;

export function useScratch(address: usize): void {
  scratch = address;
}
