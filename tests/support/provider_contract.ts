/**
 * The contract of all providers, as tests. The tests of a provider call {@linkcode testProvider} with a machine on which
 * it is opened, and which shows its effects without it.
 *
 * @module
 */
import { declareAdoptionTests } from "./provider_contract/adopt.ts";
import { declareEndTests } from "./provider_contract/end.ts";
import { declareReportTests } from "./provider_contract/report.ts";
import { declareRequestTests } from "./provider_contract/request.ts";
import { declareStartTests } from "./provider_contract/start.ts";
import type { DeclareTest } from "./provider_contract/declare_test.ts";
import {
  declareProviderTest,
  type ProviderUnderTest,
} from "./provider_machine.ts";

/**
 * Declares the tests of the contract for the provider `name`.
 *
 * @param lacks Sentences of the contract that the provider does not keep, each with its reason.
 * @throws {TypeError} If a sentence is not part of the contract.
 */
export function testProvider(
  name: string,
  provider: ProviderUnderTest,
  lacks: Readonly<Record<string, string>> = {},
): void {
  const sentences = new Set<string>();
  const contract: DeclareTest = (sentence, fn) => {
    sentences.add(sentence);
    const skip = provider.skip ?? lacks[sentence];
    declareProviderTest(`${name}: ${sentence}`, { ...provider, skip }, fn);
  };
  declareContract(contract, provider);
  for (const sentence of Object.keys(lacks)) {
    if (sentences.has(sentence)) continue;
    throw new TypeError(
      `Cannot skip "${sentence}": it is not a sentence of the contract, expected one of: ${
        [...sentences].join("; ")
      }`,
    );
  }
}

/** Passes each sentence of the contract with its test to `contract`. */
export function declareContract(
  contract: DeclareTest,
  provider: ProviderUnderTest,
): void {
  declareStartTests(contract, provider);
  declareRequestTests(contract, provider);
  declareEndTests(contract, provider);
  declareAdoptionTests(contract, provider);
  declareReportTests(contract, provider);
}
