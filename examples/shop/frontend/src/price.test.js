import assert from "node:assert/strict";
import { connect } from "node:net";
import { test } from "node:test";

import { price } from "./price.js";

test("prices have two digits after the point", () => {
  assert.equal(price(1990), "19.90 €");
  assert.equal(price(5), "0.05 €");
});

const port = process.env.TEST_DATABASE_PORT;

test("the test database takes connections", { skip: port ? false : "started without Forge" }, async () => {
  await new Promise((resolve, reject) => {
    const socket = connect(Number(port), "127.0.0.1", () => socket.end(resolve));
    socket.on("error", reject);
  });
});
