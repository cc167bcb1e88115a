// Fills the store once, and ends.
const store = process.env.STORE_URL ?? "http://localhost:4312";
const orders = { opened: "12", sent: "9", greeting: "Hello from the store" };

for (const [key, value] of Object.entries(orders)) {
  const answer = await fetch(`${store}/${key}`, { method: "PUT", body: value });
  if (!answer.ok) throw new Error(`${store}/${key}: ${answer.status}`);
  console.log(`${key} = ${value}`);
}
console.log(`${Object.keys(orders).length} keys written`);
