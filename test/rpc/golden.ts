/** What our values cannot tell: parts of a ms, and an empty string whose Go pointer is not nil (it slips through Go's omitempty). */
export const kept = (hex: string): string => hex
  .replaceAll('a81d6f34546553f100', 'a81d5353006553f100')
  .replaceAll('ac00000005ffffffffffffffff', 'ac00000000ffffffffffffffff')
  .replaceAll(/8fa163(.*?)a165a0/g, '8ea163$1')
  .replaceAll(/88a2706e(.*?)a165a0/g, '87a2706e$1')
