/** A part of a message: words, or what stood between backticks. */
export interface Part {
  text: string;
  code: boolean;
}

/** Messages name commands and keys between backticks, as one writes them in a chat. One alone stands for itself. */
export function prose(text: string): Part[] {
  const parts: Part[] = [];
  let end = 0;
  for (const found of text.matchAll(/`([^`\n]+)`/g)) {
    if (found.index > end) parts.push({ text: text.slice(end, found.index), code: false });
    parts.push({ text: found[1] ?? '', code: true });
    end = found.index + found[0].length;
  }
  if (end < text.length) parts.push({ text: text.slice(end), code: false });
  return parts;
}
