#!/usr/bin/env node
/**
 * Runs Browsergrid with the Deno of the npm package `deno`, or with the executable that BROWSERGRID_DENO names.
 *
 * The program takes the place of this process where Node can do that (from 22.15 on, not on Windows). Elsewhere this
 * process passes on signals, and ends with the exit code of the program.
 */
"use strict";
const { accessSync, constants: { X_OK }, existsSync, statSync } = require(
  "node:fs",
);
const { dirname, join } = require("node:path");
const process = require("node:process");

/** Flags of Deno, which the build of the package writes. */
const FLAGS = require("./flags.json");
const MAIN = join(__dirname, "..", "bundle", "main.js");
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"];
const EXECUTABLE = process.platform === "win32" ? "deno.exe" : "deno";

/** Exit code of a program that cannot be run. */
const CANNOT_RUN = 126;

/** Returns the path of Deno; undefined if npm has installed none for this machine. */
function findDeno() {
  const { BROWSERGRID_DENO } = process.env;
  if (BROWSERGRID_DENO) return BROWSERGRID_DENO;
  const home = findPackage("deno", __dirname);
  if (home === undefined) return undefined;
  const machine = `@deno/${process.platform}-${process.arch}`;
  // The first is made by an install script, which may be turned off.
  return [
    home,
    ...[machine, `${machine}-glibc`].map((name) => findPackage(name, home)),
  ]
    .filter((folder) => folder !== undefined)
    .map((folder) => join(folder, EXECUTABLE)).find(existsSync);
}

/** Returns the folder of a package that is installed for the modules in a folder; undefined if there is none. */
function findPackage(name, from) {
  try {
    return dirname(require.resolve(`${name}/package.json`, { paths: [from] }));
  } catch {
    return undefined;
  }
}

function fail(message) {
  process.stderr.write(`browsergrid: ${message}\n`);
  process.exit(CANNOT_RUN);
}

const words = process.argv.slice(2);
if (["--version", "-V"].includes(words[0])) {
  // Loading Deno would take longer than everything else.
  process.stdout.write(`${require("../package.json").version}\n`);
  process.exit();
}
const deno = findDeno();
if (deno === undefined) {
  fail(
    `npm has installed no Deno for ${process.platform} on ${process.arch}, expected one in BROWSERGRID_DENO`,
  );
}
const args = [...FLAGS, MAIN, ...words];
if (process.execve && process.platform !== "win32") replaceBy(deno, args);
else runBeside(deno, args);

/** Replaces this process by the program. Node would abort if that failed, so the file is checked before. */
function replaceBy(file, args) {
  try {
    accessSync(file, X_OK);
    if (!statSync(file).isFile()) throw new Error("it is not a file");
  } catch ({ message }) {
    fail(`cannot run ${file}: ${message}`);
  }
  process.execve(file, [file, ...args], process.env);
}

/** Runs the program as a child. */
function runBeside(file, args) {
  const { spawn } = require("node:child_process");
  const { constants } = require("node:os");
  const child = spawn(file, args, { stdio: "inherit" });
  // A terminal sends Ctrl+C to both. The program counts two signals in half a second as one.
  for (const signal of SIGNALS) process.on(signal, () => child.kill(signal));
  child.on("error", ({ message }) => fail(`cannot run ${file}: ${message}`));
  child.on("exit", (code, signal) => {
    process.exit(code ?? 128 + constants.signals[signal]);
  });
}
