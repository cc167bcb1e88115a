import { quoted } from './quote';

/** A command to copy that works wherever it is pasted: whoever does so stands in another folder. */
export const forgeIn = (workspace: string, ...words: string[]): string =>
  ['forge', '-C', workspace, ...words].map(quoted).join(' ');
