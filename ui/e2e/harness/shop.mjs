// A project as there are many: what pictures are taken of, and what is measured.
import { freePorts, nasty, node } from './workspace.mjs';

/** Writes lines like a server's for ever, some a second. @param {string[]} lines @param {number} pause Milliseconds. */
const chatter = (lines, pause) =>
  node(
    (text, every) => {
      const lines = JSON.parse(text);
      let at = 0;
      setInterval(() => console.log(lines[at++ % lines.length]), Number(every));
      // Something to see in the graphs.
      setInterval(() => {
        const until = Date.now() + 40 + 120 * Math.abs(Math.sin(Date.now() / 9000));
        while (Date.now() < until);
      }, 1000);
    },
    JSON.stringify(lines),
    pause,
  );

/**
 * @param {{ crash: boolean }} how With something that needs attention.
 * @returns {Promise<import('./workspace.mjs').Environments>}
 */
export async function shop({ crash }) {
  const [postgres, redis, api, web, search, sick] = /** @type {[number, number, number, number, number, number]} */ (await freePorts(6));
  const trouble = [
    { name: 'payments', command: nasty('print', 'reading payments.toml', 'eprint', 'ERROR no such key: stripe.secret', 'exit', 1), auto_restart: { delay: '4m' } },
    { name: 'images', command: nasty('listen', sick, '--http', 200, '--flip', 3), port: sick, health_check: { http: `http://localhost:${sick}/health`, interval: '1s', retries: 2 } },
    { name: 'mailer', command: nasty('forever'), depends_on: ['payments'] },
  ];
  return {
    dev: {
      description: 'everything, with reloading',
      processes: [
        { name: 'postgres', command: nasty('print', 'LOG:  database system is ready to accept connections', 'listen', postgres), port: postgres, health_check: `tcp://localhost:${postgres}` },
        { name: 'redis', command: nasty('print', '* Ready to accept connections tcp', 'listen', redis), port: redis },
        { name: 'migrate', command: nasty('print', 'INFO applied 42 migrations', 'exit', 0), one_shot: true, depends_on: ['postgres'] },
        {
          name: 'api',
          command: nasty('listen', api, '--http', 200),
          port: api,
          depends_on: ['postgres', 'redis', 'migrate'],
          health_check: `http://localhost:${api}/healthz`,
          env: { DATABASE_URL: `postgres://shop@localhost:${postgres}/shop`, STRIPE_SECRET_KEY: 'sk_test_51', LOG_LEVEL: 'debug' },
        },
        { name: 'web', command: nasty('listen', web, '--http', 200), port: web, depends_on: ['api'], health_check: `http://localhost:${web}/`, open: `http://localhost:${web}/` },
        {
          name: 'worker',
          command: chatter(
            [
              '\u001b[32mINFO\u001b[0m job=resize id=5512 done in 88ms',
              '\u001b[32mINFO\u001b[0m job=invoice id=5513 done in 204ms',
              'DEBUG queue depth 14',
              '\u001b[33mWARN\u001b[0m slow query: 412ms SELECT * FROM orders WHERE user_id = $1 AND status = $2 ORDER BY created_at DESC LIMIT 50',
              '\u001b[31mERROR\u001b[0m pool exhausted: 20 of 20 connections in use',
            ],
            700,
          ),
          depends_on: ['redis'],
        },
        { name: 'search', command: chatter(['INFO indexed 1,204 documents in 31 ms', 'INFO GET /indexes/products/search 200 in 4 ms'], 1100), port: search, health_check: 'true' },
        ...(crash ? trouble : []),
        { name: 'console', command: nasty('print', 'shop(dev)> ', 'echo'), tty: true },
        { name: 'storybook', command: nasty('forever'), disabled: true },
      ],
    },
    test: { description: 'what the browser tests need', processes: [{ name: 'api', command: nasty('forever') }, { name: 'web', command: nasty('forever') }] },
  };
}
