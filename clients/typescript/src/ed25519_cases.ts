/**
 * Frozen answers of the rule, one for each way in which libraries are known to differ.
 *
 * They are the cases of the ledger's own self test: key, message and signature in hex.
 */

/** One signature, and whether the rule takes it. */
export type Case = readonly [key: string, message: string, signature: string, valid: boolean];

const KEY = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
const R = "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155";
const S = "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b";
const S_PLUS_L = "4c8c7872aa064e049dbb3013fbf29380d25bf5f0595bbe24655141438e7a101b";
const MIXED = "9158312a9a8d6e3b34c891d6d61444f8b8211c5117ebad15bdb0bd68b07e0245";
const FIVE_B = "edc876d6831fd2105d0b4389ca2e283166469289146e2ce06faefe98b22548df";
const FIVE_B_MIXED = "d0424b701d60255de5df705071059ccd22b8349bb4138202ebbd65e9e0ad211b";

/** Good; another message; S not below L; a key of mixed order, cancelled or not; such an R. */
export const CASES: readonly Case[] = [
  [KEY, "", R + S, true],
  [KEY, "78", R + S, false],
  [KEY, "", R + S_PLUS_L, false],
  [
    MIXED,
    "32",
    `${FIVE_B}9567eb3f733f2b39227adde0f942f81961767a817cb90df60b83756d8d8fd20c`,
    true,
  ],
  [
    MIXED,
    "30",
    `${FIVE_B}6fc0ceb0517318944f4614b6cade8ecef12814f1f81da6f0075ac407ff823e0e`,
    false,
  ],
  [
    KEY,
    "30",
    `${FIVE_B_MIXED}e5cc2db0a041bda4576d6a940e1dc32f4061f344761bbcc6e15dbb37ac408705`,
    false,
  ],
];
