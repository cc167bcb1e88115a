/** A word that means the same with and without quotes. */
const PLAIN = /^[\w@%+=:,./-]+$/;

/** A word of a command, as it is typed into a shell. */
export const quoted = (word: string) => (PLAIN.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`);

/** A command as one would type it: a list of words comes as JSON, and is quoted as for a shell. */
export function typed(command: string): string {
  if (!command.startsWith('[')) return command;
  try {
    const words: unknown = JSON.parse(command);
    if (Array.isArray(words) && words.every((word) => typeof word === 'string')) return words.map(quoted).join(' ');
  } catch {
    // It is a shell's `[`.
  }
  return command;
}
