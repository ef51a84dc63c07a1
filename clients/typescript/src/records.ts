/** Generated from the modules by `make reference`: change those, not this file. */

import type {
  AddAccount,
  AddOperator,
  Address,
  AdmitMember,
  AdmitPeer,
  Amount,
  AssetId,
  CancelUpgrade,
  Capacity,
  Choice,
  Count,
  Counted,
  Delay,
  EndAllowance,
  EndMembership,
  Flag,
  Frozen,
  GrantPermission,
  GrantRole,
  Halt,
  Hash,
  Id,
  Kind,
  Lasts,
  Lei,
  MemberName,
  MemberStatus,
  OpenPermission,
  PeriodMs,
  Phase,
  ReadmitMember,
  RemoveAccount,
  RemoveOperator,
  RemovePeer,
  RemoveValidator,
  Resume,
  RevokePermission,
  RevokeRole,
  Role,
  ScheduleUpgrade,
  Scope,
  SetAllowance,
  SetDelay,
  SetParameter,
  SetThreshold,
  SetValidator,
  Share,
  Small,
  SuspendMember,
  Time,
  WeightedKey,
} from "./values.js";

/** Who may sign for an address. A closed account keeps its row, without keys, and its heir. */
export interface Account {
  readonly "@version": 1;
  readonly keys?: readonly WeightedKey[];
  readonly ordinary?: Small;
  readonly sensitive?: Small;
  readonly lanes?: Small;
  readonly closed_into?: Address;
}

/** Who may recover an account, and how many of them must agree. */
export interface AccountGuard {
  readonly "@version": 1;
  readonly guardians: readonly Address[];
  readonly threshold: Small;
}

/** What an account with guardians becomes, or whom it closes into, when it has waited. */
export interface AccountChange {
  readonly "@version": 1;
  readonly keys: readonly WeightedKey[];
  readonly ordinary: Small;
  readonly sensitive: Small;
  readonly guardians: readonly Address[];
  readonly threshold: Small;
  readonly due_at: Time;
  readonly heir?: Address;
  readonly postponed?: boolean;
}

/**
 * What guardians ask for an account: other keys. Until enough of them have agreed it lapses at
 * `due_at`; then it `waits`, and is carried out.
 */
export interface AccountRecovery {
  readonly "@version": 1;
  readonly account: Address;
  readonly keys: readonly WeightedKey[];
  readonly ordinary: Small;
  readonly sensitive: Small;
  readonly approvals: readonly Address[];
  readonly asked_at: Time;
  readonly due_at: Time;
  readonly waits?: boolean;
  readonly postponed?: boolean;
}

/** Whose an account was before the first of its recoveries in 30 days, and when that was. */
export interface AccountBefore {
  readonly "@version": 1;
  readonly recovered_at: Time;
  readonly keys: readonly WeightedKey[];
  readonly sensitive: Small;
}

/** That an account was opened under another one, and when. */
export interface AccountSubAccount {
  readonly "@version": 1;
  readonly opened_at: Time;
}

/** What an account asks of payments to it: there is a row where they need a reference. */
export interface AccountIncoming {
  readonly "@version": 1;
}

/** An institution of the consortium; its row stays when it has left. */
export interface Member {
  readonly "@version": 1;
  readonly name: MemberName;
  readonly status: MemberStatus;
  readonly roles?: readonly Role[];
}

/** For which member an account acts. */
export interface MemberActing {
  readonly "@version": 1;
  readonly member: Lei;
}

/** The roles whose accounts may send a message; without a row anybody may. */
export interface MemberPermission {
  readonly "@version": 1;
  readonly roles?: readonly Role[];
}

/** What an asset is: decimals, most that may be issued, and a hash of its published terms. */
export interface AssetDefinition {
  readonly "@version": 1;
  readonly issuer: Address;
  readonly scale: Small;
  readonly cap?: Amount;
  readonly metadata_hash?: Hash;
}

/** How much of an asset was issued and not redeemed. */
export interface AssetSupply {
  readonly "@version": 1;
  readonly issued: Amount;
}

/** What one account or vault owns of one asset; there is no row for nothing. */
export interface AssetHolding {
  readonly "@version": 1;
  readonly amount: Amount;
}

/** An external reference that was used: what was issued to whom, or redeemed by whom. */
export interface AssetSettled {
  readonly "@version": 1;
  readonly amount: Amount;
  readonly account: Address;
  readonly redeemed?: boolean;
}

/** The powers over an asset's holdings, everybody's limit, and all that is reserved of it. */
export interface AssetControls {
  readonly "@version": 1;
  readonly flags?: readonly Flag[];
  readonly locked?: readonly Flag[];
  readonly limit?: Amount;
  readonly reserved?: Amount;
}

/**
 * What stands on one holding. There is no row where nothing does. A freeze that has ended may stand
 * here still: it counts while the time is before its `until`.
 */
export interface AssetStanding {
  readonly "@version": 1;
  readonly authorised?: boolean;
  readonly limit?: Amount;
  readonly frozen_by_issuer?: Frozen;
  readonly frozen_by_supervisor?: Frozen;
  readonly reserved?: readonly Share[];
}

/** One act on somebody's holding, kept for the person whom it hit and for whoever counts. */
export interface AssetAct {
  readonly "@version": 1;
  readonly account: Address;
  readonly asset: AssetId;
  readonly kind: Kind;
  readonly by: Address;
  readonly capacity: Capacity;
  readonly at: Time;
  readonly reason?: Small;
  readonly scope?: Scope;
  readonly until?: Time;
  readonly amount?: Amount;
  readonly basis_hash?: Hash;
}

/** How often somebody has acted in one capacity, by kind. */
export interface AssetTally {
  readonly "@version": 1;
  readonly authorised?: Count;
  readonly deauthorised?: Count;
  readonly limited?: Count;
  readonly frozen?: Count;
  readonly unfrozen?: Count;
  readonly clawed_back?: Count;
  readonly recalled?: Count;
}

/** Value the vault owns on behalf of a payer. */
export interface Hold {
  readonly "@version": 1;
  readonly payer: Address;
  readonly payee: Address;
  readonly asset: AssetId;
  readonly amount: Amount;
  readonly expires_at: Time;
}

/** What a holder may pay of an owner's, and how much of that was paid. */
export interface Mandate {
  readonly "@version": 1;
  readonly owner: Address;
  readonly holder: Address;
  readonly asset: AssetId;
  readonly total: Amount;
  readonly spent: Amount;
  readonly expires_at: Time;
  readonly period_began: Time;
  readonly spent_in_period: Amount;
  readonly each_period?: Amount;
  readonly period_ms?: PeriodMs;
}

/** By whom an account is inspected, on which ground and basis, since when, until when. */
export interface ReadingInspection {
  readonly "@version": 1;
  readonly by: Address;
  readonly account: Address;
  readonly reason: Small;
  readonly basis_hash: Hash;
  readonly since: Time;
  readonly until: Time;
}

/** The newest inspection of an account by a supervisor; it may have ended. */
export interface ReadingOpening {
  readonly "@version": 1;
  readonly inspection: Id;
}

/** What one batch counts under one inspection, and which account of an operator's says so. */
export interface ReadingReads {
  readonly "@version": 1;
  readonly account: Address;
  readonly by: Address;
  readonly recorder: Address;
  readonly counted: Counted;
}

/** How many inspections a supervisor has opened, and how often it has read under them. */
export interface ReadingTally {
  readonly "@version": 1;
  readonly inspections?: Count;
  readonly histories?: Count;
  readonly pages?: Count;
  readonly queries?: Count;
  readonly rows?: Count;
  readonly statements?: Count;
}

/** The operators of now, how many approvals they ask for, and how long they wait then. */
export interface GovernanceCouncil {
  readonly "@version": 1;
  readonly operators: readonly Address[];
  readonly threshold: Small;
  readonly delay_ms: Delay;
}

/** What was proposed by the rules of that moment; `number` says why it failed in the end. */
export interface GovernanceProposal {
  readonly "@version": 1;
  readonly proposer: Address;
  readonly actions: readonly (
    | SetValidator
    | RemoveValidator
    | AdmitPeer
    | RemovePeer
    | SetParameter
    | ScheduleUpgrade
    | CancelUpgrade
    | AddOperator
    | RemoveOperator
    | SetThreshold
    | SetDelay
    | AdmitMember
    | SuspendMember
    | ReadmitMember
    | EndMembership
    | GrantRole
    | RevokeRole
    | AddAccount
    | RemoveAccount
    | GrantPermission
    | RevokePermission
    | OpenPermission
    | Halt
    | Resume
    | SetAllowance
    | EndAllowance
  )[];
  readonly closes_at: Time;
  readonly voters: readonly Address[];
  readonly threshold: Small;
  readonly delay_ms: Delay;
  readonly phase: Phase;
  readonly approvals: Small;
  readonly rejections: Small;
  readonly carries_at?: Time;
  readonly number?: Count;
}

/** What an operator said to a proposal, and when. */
export interface GovernanceBallot {
  readonly "@version": 1;
  readonly choice: Choice;
  readonly at: Time;
}

/** How a sponsor stands for accounts that it opens. */
export interface SponsorTerms {
  readonly "@version": 1;
  readonly lasts_ms?: Lasts;
  readonly share?: Share;
}
