/** Generated from the modules by `make reference`: change those, not this file. */

import type {
  AddAccount,
  AddOperator,
  Address,
  AdmitMember,
  AdmitPeer,
  CancelUpgrade,
  Choice,
  Delay,
  EndAllowance,
  EndMembership,
  GrantPermission,
  GrantRole,
  Halt,
  Id,
  OpenPermission,
  PublicKey,
  ReadmitMember,
  RemoveAccount,
  RemoveOperator,
  RemovePeer,
  RemoveValidator,
  Resume,
  RevokePermission,
  RevokeRole,
  ScheduleUpgrade,
  SetAllowance,
  SetDelay,
  SetParameter,
  SetThreshold,
  SetValidator,
  Small,
  SuspendMember,
  Time,
} from "./values.js";

/** Name the first operators of a chain that has none; the authority signs too. */
export interface GovernanceFound {
  readonly "@type": "governance.found";
  readonly authority: PublicKey;
  readonly operators: readonly Address[];
  readonly threshold: Small;
  readonly delay_ms: Delay;
}

/** Propose changes to the operators, and approve them; the proposal's id is derived. */
export interface GovernancePropose {
  readonly "@type": "governance.propose";
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
}

/** Approve or reject an open proposal, once and for all. */
export interface GovernanceVote {
  readonly "@type": "governance.vote";
  readonly proposal: Id;
  readonly choice: Choice;
}

/** Take back a proposal of the sender's that is not carried out yet. */
export interface GovernanceCancel {
  readonly "@type": "governance.cancel";
  readonly proposal: Id;
}
