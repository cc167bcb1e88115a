import { conflictsOf, type Conflict, type Failure } from '../api/failure';

/** `api needs 3000: node (PID 8432), user me, started 2 h ago: npm run dev`: what a notice says of one conflict. */
const LINE = /^(.+?) needs (\d+): ((.+?) \(PID (\d+)\)|.+?)(?:, user (\S+?))?(?:, started .+? ago)?(?:: (.+))?$/;

/** `dev/api (node, PID 7)`, `dev/api of /home/me/shop (node, PID 7)`: one of Forge's own. */
const OWN = /^([^/\s]+)\/(\S+)(?: of (.+))? \(.+, PID (\d+)\)$/;

/** The conflicts of a notice's body, one a line, as they are seen from a workspace. */
export function conflictsIn(body: string, workspace: string): Conflict[] {
  return body.split('\n').flatMap((line) => {
    const found = LINE.exec(line);
    if (!found) return [];
    const [, process = '', port, holder = '', , pid, user, command] = found;
    const own = OWN.exec(holder);
    return {
      process,
      port: Number(port),
      pid: numberOf(pid ?? own?.[4]),
      holder,
      command: command ?? null,
      user: user ?? null,
      started_at: null,
      service: own && { workspace: own[3] ?? workspace, environment: own[1] ?? '', process: own[2] ?? '' },
      next: null,
    };
  });
}

const numberOf = (digits: string | undefined) => (digits === undefined ? null : Number(digits));

/** As full as they are known: what was refused here tells more than the notice of it, if it is of the same holder. */
export function conflictsOfNotice(body: string, workspace: string, refused: Failure | undefined): Conflict[] {
  const known = refused?.code === 'port_conflict' ? conflictsOf(refused) : [];
  return conflictsIn(body, workspace).map(
    (told) => known.find((one) => one.port === told.port && one.pid === told.pid) ?? told,
  );
}
