/** What to type to learn more about a start that was refused: who holds the ports, or what else is not right. */
export function commandsFor(ports: readonly number[]): string[] {
  if (ports.length === 0) return ['forge check'];
  return [...new Set(ports)].slice(0, 3).map((port) => `forge ports who ${port}`);
}
