// What the pretended supervisor knows: a shop with a dozen processes in every state, and how it changes.
import { LogStore } from './store.mjs';

const now = () => Date.now();
const iso = (milliseconds = now()) => new Date(milliseconds).toISOString();
const SHOP = '/home/mia/work/shop';
const ATLAS = '/home/mia/work/atlas';

const MACHINE = () => ({
  cpu_percent: Math.round(30 + Math.random() * 20),
  cores: 8,
  memory_used_bytes: 11.6e9,
  memory_total_bytes: 33.5e9,
  hogs: [{ pid: 8123, name: 'cc1plus', cpu_percent: 390, memory_bytes: 2.1e9 }],
});

const SCENES = {
  busy: {
    states: { search: 'waiting', mailer: 'restarting', payments: 'crashed', images: 'failed', api: 'unhealthy' },
    notices: true,
  },
  calm: { states: {} },
  flood: { states: {}, rate: 10_000 },
  untrusted: { states: 'stopped', trusted: false },
  broken: { states: {}, problem: true },
  empty: { empty: true, states: {} },
};

const PROCESSES = [
  ['postgres', 'docker run --rm -p 5432:5432 postgres:16', [5432], 'accepting connections', 62e6, 1.2],
  ['redis', 'redis-server --port 6379', [6379], 'PONG received', 11.4e6, 0.4],
  ['migrate', 'npm run db:migrate', [], null, null, null],
  ['api', 'go run ./cmd/server', [8080], 'HTTP 200 from /healthz', 148e6, 12],
  ['web', 'vite --port 5173', [5173], 'HTTP 200 from /', 232e6, 4],
  ['worker', 'node worker.js', [], null, 96e6, 31],
  ['search', 'meilisearch --http-addr :7700', [7700], null, 74e6, 2],
  ['mailer', 'bin/mailer --dev', [1025, 8025], 'tcp 1025 open', 24e6, 0.1],
  ['payments', 'python -m payments', [9000], null, 88e6, 3],
  ['images', 'imgproxy', [8088], null, 40e6, 1],
  ['console', 'iex -S mix', [], null, 51e6, 0.2],
];

function statusOf([name, , ports, health, memory, cpu], state, since) {
  const oneShot = name === 'migrate';
  const status = state === 'unhealthy' ? 'running' : (state ?? (oneShot ? 'exited' : 'running'));
  const alive = status === 'running';
  const ready = (alive && state !== 'unhealthy') || status === 'exited';
  const words = {
    unhealthy: 'HTTP 503 from /healthz: database pool exhausted',
    crashed: 'exit 1 after 3.2 s',
    failed: 'imgproxy: not found in PATH',
  };
  return {
    name,
    status,
    ready,
    run: status === 'stopped' ? 0 : 3,
    pid: alive ? 48_000 + (since % 900) : null,
    ports: alive ? ports : [],
    declared_ports: ports,
    health: {
      state: state === 'unhealthy' ? 'unhealthy' : alive && health ? 'healthy' : 'none',
      message: state === 'unhealthy' ? words.unhealthy : alive ? health : null,
      checked_at: iso(),
    },
    started_at: alive ? iso(now() - since * 1000) : null,
    uptime_seconds: alive ? since : null,
    restarts: state === 'restarting' ? 2 : state === 'crashed' ? 4 : 0,
    exit_code: status === 'crashed' || status === 'restarting' ? 1 : status === 'exited' ? 0 : null,
    signal: null,
    waiting_on: status === 'waiting' ? ['payments'] : [],
    message: words[state] ?? null,
    debug: name === 'worker',
    cpu_percent: alive ? cpu : null,
    memory_bytes: alive ? memory : null,
    threads: alive ? 14 : null,
    open_files: alive ? 42 : null,
    open_files_limit: alive ? 1024 : null,
    disk_read_bytes: 3.1e6,
    disk_written_bytes: 812e3,
    net_received_bytes: null,
    net_sent_bytes: null,
    gauges: [],
    outdated: false,
    restart_at: status === 'restarting' ? iso(now() + 9000) : null,
    url: name === 'web' ? 'http://localhost:5173' : name === 'api' ? 'http://localhost:8080' : null,
    wanted: status !== 'stopped',
    disabled: false,
    groups: [],
    one_shot: oneShot,
    tty: name === 'console',
  };
}

const TALK = {
  postgres: [
    'LOG:  checkpoint complete: wrote 42 buffers (0.3%)',
    'LOG:  automatic vacuum of table "shop.public.orders"',
  ],
  redis: ['DB saved on disk', '* Background saving started by pid 71'],
  api: [
    '\x1b[32mINFO\x1b[0m GET /api/products 200 in 12ms',
    'INFO GET /api/cart 200 in 4ms user=831',
    '\x1b[33mWARN\x1b[0m slow query: 412ms SELECT * FROM orders WHERE user_id = $1',
    '\x1b[31mERROR\x1b[0m pool exhausted: 20 of 20 connections in use',
  ],
  web: ['\x1b[36m[vite]\x1b[0m hmr update /src/routes/Cart.svelte', '\x1b[36m[vite]\x1b[0m page reload src/main.ts'],
  worker: [
    'INFO job=resize id=5512 done in 88ms',
    '{"level":"info","msg":"job done","job":{"id":5512,"kind":"resize","tags":["image","small"]},"ms":88,"retry":null}',
    'INFO job=invoice id=5513 done in 204ms',
    'DEBUG queue depth 14',
  ],
  mailer: ['INFO accepted message for jo@example.com', '<script>alert("not markup")</script>'],
};
const LEVEL = { INFO: 'info', WARN: 'warn', ERROR: 'error', DEBUG: 'debug' };

function line(process, text, time) {
  const level = LEVEL[Object.keys(LEVEL).find((word) => text.includes(word))] ?? null;
  return {
    time: iso(time),
    environment: 'dev',
    process,
    run: 3,
    stream: level === 'error' ? 'stderr' : 'stdout',
    level,
    text,
  };
}

const LAST = {
  payments: [
    'Traceback (most recent call last):',
    '  File "/home/mia/work/shop/payments/__main__.py", line 41, in <module>',
    '    run(Settings())',
    '  File "/home/mia/work/shop/payments/settings.py", line 17, in __init__',
    '    raise KeyError("STRIPE_KEY")',
    "KeyError: 'STRIPE_KEY'",
  ],
  mailer: [
    'INFO listening on 1025',
    'panic: runtime error: index out of range [3] with length 3',
    'goroutine 18 [running]:',
    'main.(*queue).pop(0xc00011e000)',
    '\t/home/mia/work/shop/mailer/queue.go:88 +0x1d4',
    'exit status 2',
  ],
};

export function makeWorld(sceneName) {
  const scene = SCENES[sceneName] ?? SCENES.busy;
  const world = {
    trusted: scene.trusted ?? true,
    listeners: new Set(),
    removed: new Set(),
    muted: new Set(),
    added: !scene.empty,
  };
  const store = new LogStore();
  const stateOf = (name) => (scene.states === 'stopped' ? 'stopped' : scene.states[name]);
  world.processes = PROCESSES.map((each, at) => statusOf(each, stateOf(each[0]), 8040 - at * 7));
  const stopped = PROCESSES.slice(0, 4).map((each) => statusOf(each, 'stopped', 0));
  const event = (ago, process, level, title, text) => ({ time: iso(now() - ago * 1000), process, level, title, text });
  const events =
    scene.states === 'stopped' || scene.empty
      ? []
      : [
          event(8041, 'postgres', 'info', 'ready', 'accepting connections, after 1.9 s'),
          event(8032, 'migrate', 'info', 'exited', 'exit 0 after 6.1 s'),
          event(8028, 'api', 'info', 'ready', 'HTTP 200 from /healthz, after 2.4 s'),
          ...(scene.notices
            ? [
                event(410, 'images', 'error', 'failed', 'imgproxy: not found in PATH'),
                event(96, 'payments', 'error', 'crashed', 'exit 1 after 3.2 s; not restarted: 5 crashes within 10 min'),
                event(31, 'api', 'warn', 'unhealthy', 'HTTP 503 from /healthz: database pool exhausted'),
                event(4, 'mailer', 'warn', 'crashed', 'exit 2 after 41 s; restarting in 10 s'),
              ]
            : []),
        ];
  const history = PROCESSES.map(([name, , , , memory, cpu], at) => {
    const times = Array.from({ length: 900 }, (_, i) => now() - (900 - i) * 1000);
    const wave = (i) => 1 + 0.35 * Math.sin(i / (9 + at)) + 0.5 * Math.max(0, Math.sin(i / 47 + at)) * Math.random();
    const off = cpu === null || ['failed', 'crashed', 'waiting', 'stopped'].includes(stateOf(name));
    const keep = (values) => (off ? [] : values);
    const rate = (base, i) => Math.round(base * wave(i) * (i % 40 < 12 ? 3 : 0.2));
    return {
      process: name,
      times_ms: keep(times),
      cpu_percent: keep(times.map((_, i) => Math.round(cpu * wave(i) * 10) / 10)),
      memory_bytes: keep(times.map((_, i) => Math.round(memory * (0.86 + 0.00015 * i + 0.02 * Math.sin(i / 31 + at))))),
      threads: keep(times.map((_, i) => 12 + (at % 4) + (i % 300 > 200 ? 2 : 0))),
      open_files: keep(times.map((_, i) => 40 + at * 3 + (i % 60))),
      disk_read_rate: keep(times.map((_, i) => rate(2e4, i))),
      disk_written_rate: keep(times.map((_, i) => rate(6e4 + at * 1e4, i))),
      net_received_rate: keep(times.map((_, i) => rate(9e3 * (at + 1), i))),
      net_sent_rate: keep(times.map((_, i) => rate(2e4 * (at + 1), i + 20))),
      gauges:
        name === 'postgres'
          ? [
              { name: 'connections', unit: 'number', values: keep(times.map((_, i) => 8 + (i % 90 > 60 ? 10 : 0))) },
              { name: 'cache hit rate', unit: 'percent', values: keep(times.map((_, i) => 97 + Math.sin(i / 20))) },
            ]
          : [],
    };
  });

  const notice = (id, ago, process, kind, summary, body, actions, until = null) => ({
    id,
    time: iso(now() - ago * 1000),
    workspace: SHOP,
    environment: 'dev',
    process,
    kind,
    summary,
    body,
    actions: actions.map(([action, label, shows = false]) => ({ id: action, label, shows })),
    until,
  });
  world.notices = scene.notices
    ? [
        notice(
          'n1',
          96,
          'payments',
          'crash_loop',
          'payments crashed 5 times',
          'exit 1 after 3.2 s; not restarted any more: 5 crashes within 10 min',
          [
            ['restart', 'Restart'],
            ['show-log', 'Show log', true],
          ],
        ),
        notice('n0', 20, 'api', 'unhealthy', 'api is unhealthy', 'HTTP 503 from /healthz: database pool exhausted', [
          ['restart', 'Restart'],
          ['show-log', 'Show log', true],
        ]),
        notice('n5', 50, 'worker', 'alert', 'worker: memory grows', '+52 MB in 10 min (possible leak?)', [
          ['show', 'Show', true],
          ['mute', 'Mute'],
        ]),
        notice(
          'n2',
          4,
          'mailer',
          'crash',
          'mailer crashed',
          'exit 2 after 41 s; restarting in 10 s',
          [
            ['restart', 'Restart now'],
            ['keep-stopped', 'Keep stopped'],
            ['show-log', 'Show log', true],
          ],
          iso(now() + 9000),
        ),
        notice(
          'n3',
          2,
          null,
          'port_conflict',
          'Port 8088 is in use',
          'images needs 8088: java (PID 8432), started 2 h 5 min ago: java -jar /opt/tiles/tiles.jar',
          [
            ['kill', 'Stop it and start'],
            ['next', 'Use port 8089'],
            ['show', 'Show', true],
          ],
        ),
      ]
    : [];

  const moodOf = (list) =>
    list.some((p) => ['crashed', 'failed', 'restarting'].includes(p.status) || p.health.state === 'unhealthy')
      ? 'trouble'
      : list.every((p) => p.status === 'stopped')
        ? 'stopped'
        : list.some((p) => !p.ready && p.wanted)
          ? 'busy'
          : 'ready';
  const summary = (workspace, environment, list, description = null) => {
    const mood = moodOf(list);
    const ready = list.filter((p) => p.ready).length;
    const bad = list.find((p) => p.status === 'crashed');
    return {
      workspace,
      environment,
      description,
      processes: list.length,
      running: list.filter((p) => p.status === 'running').length,
      ready,
      state:
        mood === 'stopped'
          ? 'stopped'
          : bad
            ? `${bad.name} crashed`
            : ready === list.length
              ? 'running'
              : `${ready} of ${list.length} ready`,
      mood,
      active: mood !== 'stopped',
      startable: mood !== 'ready',
      url: mood === 'stopped' ? null : 'http://localhost:5173',
    };
  };
  const problem = scene.problem
    ? {
        code: 'configuration',
        message: '2 errors in .forge/processes.yml',
        details: {
          diagnostics: [
            {
              file: `${SHOP}/.forge/processes.yml`,
              line: 14,
              column: 5,
              message: 'unknown key `depend_on`',
              source: '    depend_on: [postgres, redis]',
              label: 'not a key of a process',
              help: 'did you mean `depends_on`?',
            },
            {
              file: `${SHOP}/.forge/processes.yml`,
              line: 31,
              column: 11,
              message: '`port` must be between 1 and 65535',
              source: '    port: 80800',
              label: null,
              help: null,
            },
          ],
        },
      }
    : null;
  const workspaces = () =>
    world.added
      ? [
          {
            path: ATLAS,
            name: 'atlas',
            file: `${ATLAS}/.forge/processes.yml`,
            trusted: true,
            problem: null,
            environments: [summary(ATLAS, 'dev', stopped, 'tiles and the map')],
          },
          {
            path: SHOP,
            name: 'shop',
            file: `${SHOP}/.forge/processes.yml`,
            trusted: world.trusted,
            problem,
            environments: [
              summary(SHOP, 'dev', world.processes),
              summary(SHOP, 'prod-like', stopped, 'dev, with the built front end'),
              summary(SHOP, 'test', stopped),
            ],
          },
        ]
      : [];
  const status = (workspace, environment, list, more = {}) => ({
    workspace,
    environment,
    ready: false,
    supervisor: { pid: 4711, host: 'serve', version: '0.1.0' },
    processes: list,
    events: [],
    warnings: [],
    url: environment === 'dev' ? 'http://localhost:5173' : null,
    machine: MACHINE(),
    ...more,
  });
  const statuses = () =>
    world.added
      ? [
          status(SHOP, 'dev', world.processes, {
            events,
            warnings: scene.notices
              ? [
                  ['web', 'outdated', 'the configuration has changed since it was started; `start` applies it', 900],
                  ['worker', 'memory_growth', '+52 MB in 10 min (possible leak?)', 1260],
                  ['api', 'unhealthy', 'HTTP 503 from /healthz: database pool exhausted', 31],
                  ['api', 'slow', '3 slow requests in the last hour', 2200],
                  [null, 'hog', 'cc1plus (PID 8123, not of Forge) uses 390 % CPU', 70],
                ].map(([process, kind, text, ago]) => ({
                  process,
                  kind,
                  text,
                  since: iso(now() - ago * 1000),
                  muted: world.muted.has(kind),
                }))
              : [],
          }),
          status(SHOP, 'prod-like', stopped),
          status(SHOP, 'test', stopped),
          status(ATLAS, 'dev', stopped),
        ]
      : [];
  const tellAll = (update) => world.listeners.forEach((tell) => tell(update));

  function say() {
    const names = Object.keys(TALK);
    const count = (scene.rate ?? 8) / 20;
    for (let i = 0; i < count; i += 1) {
      if (count < 1 && Math.random() > count) continue;
      const name = names[Math.floor(Math.random() * names.length)];
      const text = TALK[name][Math.floor(Math.random() ** 2 * TALK[name].length)];
      store.add(line(name, text));
    }
  }
  if (!scene.empty && scene.states !== 'stopped') {
    for (let i = 9000; i > 0; i -= 1) {
      const name = Object.keys(TALK)[i % 6];
      store.add(line(name, TALK[name][(i * 7) % TALK[name].length], now() - i * 900));
      if (i === 400) store.add({ ...line('worker', 'run 2 exited with 1', now() - i * 900), stream: 'forge' });
    }
    setInterval(say, 50);
    setInterval(() => {
      const costs = world.processes
        .filter((p) => p.status === 'running')
        .map((p) => {
          const [, , , , memory, cpu] = PROCESSES.find(([name]) => name === p.name);
          return {
            process: p.name,
            cpu_percent: Math.round(cpu * (0.7 + Math.random() * 0.7) * 10) / 10,
            memory_bytes: Math.round(memory * (0.98 + Math.random() * 0.03)),
            threads: 14,
            open_files: 42 + Math.floor(Math.random() * 9),
            disk_read_rate: Math.round(2e4 * Math.random()),
            disk_written_rate: Math.round(8e4 * Math.random()),
            net_received_rate: Math.round(6e4 * Math.random()),
            net_sent_rate: Math.round(9e4 * Math.random()),
            gauges:
              p.name === 'postgres'
                ? [
                    { name: 'connections', unit: 'number', value: 9, maximum: 100, problem: null },
                    { name: 'cache hit rate', unit: 'percent', value: 97.2, maximum: null, problem: null },
                  ]
                : [],
          };
        });
      tellAll({ update: 'metrics', workspace: SHOP, environment: 'dev', time_ms: now(), costs, machine: MACHINE() });
    }, 1000);
  }

  async function logs(request) {
    const { query } = request;
    const only = query.names.map((name) => name.split('/')[1]).filter(Boolean);
    if (only.length === 1 && LAST[only[0]] && query.tail !== null && query.tail < 50)
      return {
        lines: LAST[only[0]].map((text) => ({ ...line(only[0], text), at: '1:0' })),
        gaps: [],
        cursor: 'x',
        previous: 'x',
        next: 'x',
        at_end: true,
      };
    return store.read(request);
  }

  const refuse = (code, message, more = {}) => {
    throw Object.assign(new Error(message), { code, more });
  };
  const answers = {
    hello: () => ({ protocol: 1, version: '0.1.0', pid: 4711, host: 'serve', background: false, held: 8 }),
    subscribe: () => ({ environments: statuses() }),
    unsubscribe: () => ({}),
    workspaces: () => ({ workspaces: workspaces() }),
    notices: () => ({ notices: world.notices }),
    status: ({ workspace, environment }) =>
      statuses().find((each) => each.workspace === workspace && each.environment === environment) ??
      refuse('not_found', `no environment ${environment}`),
    metrics: ({ after_ms }) => {
      const times_ms = Array.from({ length: 900 }, (_, i) => now() - (900 - i) * 1000).filter(
        (time) => time > after_ms,
      );
      const mark = (ago, process, kind, text) => ({ time: iso(now() - ago * 1000), process, kind, text });
      return {
        series: scene.empty || scene.states === 'stopped' ? [] : history,
        machine: {
          times_ms,
          cpu_percent: times_ms.map((_, i) => 35 + 20 * Math.sin(i / 40)),
          memory_used_bytes: times_ms.map((_, i) => 11e9 + i * 1e6),
        },
        marks: [
          mark(640, 'worker', 'start', 'started'),
          mark(230, 'payments', 'crash', 'crashed: exit 1'),
          mark(222, 'payments', 'restart', 'restarted'),
          mark(140, 'web', 'deploy', 'restarted with a changed configuration'),
          mark(96, 'payments', 'crash', 'crashed: exit 1'),
          mark(60, 'search', 'stop', 'stopped'),
        ],
      };
    },
    events: ({ process }) => ({ events: events.filter((each) => !process || each.process === process) }),
    'logs.read': logs,
    'logs.scan': (request) => store.scan(request),
    'logs.scan.next': (request) => store.next(request),
    'logs.scan.cancel': (request) => store.cancel(request),
    'workspaces.commands': () => ({
      hash: 'abc',
      trusted: world.trusted,
      commands: PROCESSES.flatMap(([process, command], at) => [
        { environment: 'dev', process, purpose: 'command', command },
        ...(at === 0
          ? [{ environment: 'dev', process, purpose: 'health_check', command: 'pg_isready -h localhost' }]
          : []),
      ]),
    }),
    'workspaces.trust': () => {
      world.trusted = true;
      tellAll({ update: 'workspaces' });
      return workspaces()[1];
    },
    'workspaces.add': ({ path, create }) => {
      if (!create && !path.includes('shop'))
        refuse('no_workspace', `there is no .forge/processes.yml in ${path} or above`);
      world.added = true;
      tellAll({ update: 'workspaces' });
      return workspaces()[1];
    },
    'alerts.mute': ({ kind, muted }) => {
      world.muted[muted ? 'add' : 'delete'](kind);
      return {};
    },
    'workspaces.remove': ({ path }) => refuse('usage', `${path} still runs; stop it first`),
    'notices.act': ({ id }) => {
      answers['notices.dismiss']({ id });
      return {};
    },
    'notices.dismiss': ({ id }) => {
      world.notices = world.notices.filter((each) => each.id !== id);
      tellAll({ update: 'notice_closed', id });
      return {};
    },
    inspect: ({ name }) => {
      const process = name.split('/').at(-1);
      const known = PROCESSES.find(([each]) => each === process) ?? refuse('not_found', `no process ${process}`);
      return {
        target: { environment: 'dev', process },
        command: known[1],
        cwd: `${SHOP}/${process}`,
        variables: [
          ['APP_ENV', 'development', 'env'],
          ['DATABASE_URL', 'postgres://shop:••••••@localhost:5432/shop', '.env:3', true],
          ['HOME', '/home/mia', 'caller'],
          ['PATH', '/usr/local/bin:/usr/bin:/bin', 'caller'],
          ['PORT', String(known[2][0] ?? 8080), 'port'],
          ['REDIS_URL', 'redis://localhost:6379', 'env of the environment'],
          ['STRIPE_KEY', '••••••', '.env.local:1', true],
        ].map(([n, value, origin, secret = false]) => ({ name: n, value, origin, secret })),
        depends_on:
          process === 'postgres'
            ? []
            : [
                { process: 'postgres', condition: 'ready' },
                { process: 'migrate', condition: 'completed' },
              ],
        needed_by: process === 'postgres' ? ['api', 'worker'] : ['web'],
        health_check: known[3] ? 'GET http://localhost:8080/healthz every 2s' : null,
        health_history: [
          {
            from: iso(now() - 8028e3),
            until: iso(now() - 31e3),
            state: 'healthy',
            message: 'HTTP 200 from /healthz',
            checks: 3998,
            mean_latency_ms: 4.2,
            worst_latency_ms: 61,
          },
          {
            from: iso(now() - 31e3),
            until: iso(),
            state: 'unhealthy',
            message: 'HTTP 503 from /healthz: database pool exhausted',
            checks: 15,
            mean_latency_ms: 940,
            worst_latency_ms: 1000,
          },
        ],
        health_checks: Array.from({ length: 300 }, (_, i) => ({
          time: iso(now() - (300 - i) * 2000),
          latency_ms: i > 284 ? 900 + (i % 7) * 14 : 3 + Math.abs(Math.sin(i / 9)) * 4 + (i % 41 === 0 ? 30 : 0),
          passed: i <= 284,
        })),
        log_folder: `/home/mia/.local/state/forge/logs/shop-36ea9ab7/dev/${process}`,
      };
    },
    attach: (_, tell) => {
      setTimeout(
        () =>
          tell({
            update: 'terminal',
            data: Buffer.from(
              '\x1b[1mInteractive Elixir\x1b[0m (1.17.2) - press Ctrl+C to exit\r\n\x1b[32miex(1)>\x1b[0m ',
            ).toString('base64'),
          }),
        30,
      );
      return { target: { environment: 'dev', process: 'console' } };
    },
    'attach.input': ({ data }, tell) => {
      tell({ update: 'terminal', data });
      return {};
    },
    'attach.resize': () => ({}),
    detach: () => ({}),
  };
  const change = (params, next) => {
    for (const name of params.names) {
      world.processes = world.processes.map((p) => {
        const process = name.split('/')[1];
        if (process && p.name !== process) return p;
        const changed = statusOf(
          PROCESSES.find(([each]) => each === p.name),
          next,
          1,
        );
        tellAll({ update: 'process', workspace: SHOP, environment: 'dev', process: changed });
        return changed;
      });
    }
    tellAll({ update: 'environment', summary: summary(SHOP, 'dev', world.processes) });
  };
  answers.start = (params) => {
    if (!world.trusted) refuse('untrusted', 'nobody has confirmed the commands of this workspace');
    if (params.names.includes('prod-like') && params.on_conflict === 'fail')
      refuse('port_conflict', 'port 3000, which web needs, is in use by node (PID 8432)', {
        help: 'stop it, or change `port`; nothing was started',
        details: {
          conflicts: [
            {
              process: 'web',
              port: 3000,
              pid: 8432,
              holder: 'node',
              command: 'node /home/mia/old/server.js',
              user: 1000,
              next: 3001,
            },
          ],
        },
      });
    change(params, undefined);
    return { ticket: 1, workspace: SHOP, environment: 'dev', processes: [], starting: [] };
  };
  answers.restart = answers.start;
  answers.stop = (params) => {
    change(params, 'stopped');
    return { stopped: [], survivors: [] };
  };
  answers.kill = answers.stop;

  return {
    subscribe: (tell) => {
      world.listeners.add(tell);
      return () => world.listeners.delete(tell);
    },
    answer: (method, params, tell) => (answers[method] ?? (() => refuse('protocol', `no ${method}`)))(params, tell),
  };
}
