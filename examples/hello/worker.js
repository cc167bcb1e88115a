// Sends an order off now and then, and says so: info mostly, a warning sometimes, an error rarely.
const store = process.env.STORE_URL ?? "http://localhost:4312";
const log = (level, text) => console.log(`${level.padEnd(5)} ${text}`);

let order = 100;

async function add(key) {
  await fetch(`${store}/${key}/add`, { method: "POST", body: "1", signal: AbortSignal.timeout(1000) });
}

async function work() {
  order += 1;
  try {
    await add("opened");
    if (order % 7 === 0) return log("WARN", `order ${order} is stuck, will be tried again`);
    await add("sent");
    log("INFO", `order ${order} sent`);
  } catch (error) {
    log("ERROR", `order ${order} is lost: ${error.message}`);
  }
}

log("INFO", `takes its orders from ${store}`);
const timer = setInterval(work, 2500);

process.on("SIGTERM", () => {
  clearInterval(timer);
  log("INFO", `stopping after order ${order}`);
  process.exit(0);
});
