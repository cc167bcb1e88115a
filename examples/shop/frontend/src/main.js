import { price } from "./price.js";

async function get(path) {
  const answer = await fetch(path);
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
  return answer.json();
}

function row({ name, cents }) {
  const row = document.createElement("tr");
  for (const text of [name, price(cents)]) row.insertCell().textContent = text;
  return row;
}

try {
  document.getElementById("products").replaceChildren(...(await get("/api/products")).map(row));
  document.getElementById("visits").textContent = `Visit number ${(await get("/api/visits")).visits}.`;
} catch (error) {
  document.getElementById("visits").textContent = `The API does not answer: ${error.message}`;
}
