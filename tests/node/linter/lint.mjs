// Lint the OpenAPI document on standard input by Redocly's recommended rules and some of its
// stricter ones. Prints a JSON array of what it finds, warnings too.
import { text } from "node:stream/consumers";
import { createConfig, lintFromString } from "@redocly/openapi-core";

const stricter = [
  "no-duplicated-tag-names",
  "operation-4xx-problem-details-rfc7807",
  "operation-description",
  "operation-singular-tag",
  "operation-tag-defined",
  "paths-kebab-case",
  "spec-strict-refs",
];
const rules = Object.fromEntries(stricter.map((rule) => [rule, "error"]));
const config = await createConfig({ extends: ["recommended"], rules });
const problems = await lintFromString({ source: await text(process.stdin), config });
const found = problems.map(({ ruleId, severity, message, location }) => ({
  rule: ruleId,
  severity,
  message,
  at: location[0]?.pointer ?? "",
}));
console.log(JSON.stringify(found));
