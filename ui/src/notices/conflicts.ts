import { conflictsOf, type Conflict, type Failure } from '../api/failure';

/** `api needs 3000: node (PID 8432), user me, started 2 h ago: npm run dev`: what a notice says of one conflict. */
const LINE = /^(.+?) needs (\d+): ((.+?) \(PID (\d+)\)|.+?)(?:, user (\S+?))?(?:, started .+? ago)?(?:: (.+))?$/;

/** The conflicts of a notice's body, one a line. */
export function conflictsIn(body: string): Conflict[] {
  return body.split('\n').flatMap((line) => {
    const found = LINE.exec(line);
    if (!found) return [];
    const [, process = '', port, holder = '', , pid, user, command] = found;
    return {
      process,
      port: Number(port),
      pid: pid === undefined ? null : Number(pid),
      holder,
      command: command ?? null,
      user: user ?? null,
      next: null,
    };
  });
}

/** As full as they are known: what was refused here tells more than the notice of it, if it is of the same holder. */
export function conflictsOfNotice(body: string, refused: Failure | undefined): Conflict[] {
  const known = refused?.code === 'port_conflict' ? conflictsOf(refused) : [];
  return conflictsIn(body).map((told) => known.find((one) => one.port === told.port && one.pid === told.pid) ?? told);
}
