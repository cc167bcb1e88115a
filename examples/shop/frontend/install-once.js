// Fetches the packages if nobody has yet, so that a fresh clone starts as well as an old one.
import { execSync } from "node:child_process";
import { existsSync } from "node:fs";

if (!existsSync("node_modules/vite")) execSync("npm ci --no-audit --no-fund", { stdio: "inherit" });
