import { z } from "zod";

/** Maximum length of a secret: enough for a private key or a token of an identity provider. */
const MAX_LENGTH = 16_384;

/**
 * Declares an option of a provider that responses never contain and that the database stores encrypted, such as a
 * password. It must be a member of the provider's `configSchema` itself, and may be optional.
 */
export function secretSchema(): z.ZodString {
  return z.string().min(1).max(MAX_LENGTH).meta({ secret: true });
}

/** Returns the names of the secret options of a provider's `configSchema`. */
export function listSecretOptions(schema: z.ZodObject): readonly string[] {
  return Object.entries(schema.shape)
    .filter(([, member]) => isSecret(member))
    .map(([name]) => name);
}

/** Reports whether a member of a schema is a secret option. */
export function isSecret(member: unknown): boolean {
  if (member instanceof z.ZodOptional || member instanceof z.ZodDefault) {
    return isSecret(member.unwrap());
  }
  return member instanceof z.ZodType && member.meta()?.secret === true;
}

/** Schemas of {@linkcode acceptAnySecrets} by their original and the names of secrets. */
const relaxed = new WeakMap<z.ZodObject, Map<string, z.ZodObject>>();

/**
 * Returns a provider's `configSchema` that accepts any text as some of its secret options: an encrypted one is longer
 * than the secret, and has another format.
 *
 * @param names Names of the options.
 */
export function acceptAnySecrets(
  schema: z.ZodObject,
  names: readonly string[],
): z.ZodObject {
  const secrets = listSecretOptions(schema).filter((name) =>
    names.includes(name)
  );
  if (secrets.length === 0) return schema;
  const known = relaxed.get(schema) ?? new Map<string, z.ZodObject>();
  relaxed.set(schema, known);
  const key = secrets.join(" ");
  const found = known.get(key) ?? schema.safeExtend(
    Object.fromEntries(secrets.map((name) => [name, z.string()])),
  );
  known.set(key, found);
  return found;
}
