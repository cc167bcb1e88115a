import type { JsonValue } from '../api/generated';

/** The object or list that a line is, or ends with; `null`: none. */
export function jsonOf(text: string): JsonValue | null {
  const begin = text.search(/[[{]/);
  if (begin < 0 || !/[\]}]\s*$/.test(text)) return null;
  // What stands before it is short: a time, a level, a name.
  for (const from of [begin, text.indexOf('{', begin)]) {
    if (from < 0 || from > 120) continue;
    try {
      const value = JSON.parse(text.slice(from)) as JsonValue;
      if (typeof value === 'object' && value !== null && Object.keys(value).length > 0) return value;
    } catch {
      // Not this one.
    }
  }
  return null;
}

/** Cheap enough to be asked of every line that is drawn. */
export const mayBeJson = (text: string): boolean =>
  /[\]}]\s*$/.test(text) && /[[{]\s*(?:["[{\d-]|true|false|null)/.test(text);
