/** Generated from the modules by `make reference`: change those, not this file. */

/** ^[0-9a-f]{40}$ */
export type Address = string;

/** Decimal text with exactly the decimals of its asset. */
export type Amount = string;

/** ^[A-Z][A-Z0-9]{0,11}$ */
export type AssetCode = string;

/** ^[A-Z][A-Z0-9]{0,11}[.][0-9a-f]{40}$ */
export type AssetId = string;

/** ^(?:issuer|supervisor)$ */
export type Capacity = string;

/** ^(?:approve|reject)$ */
export type Choice = string;

/** 1 to 65536 */
export type Chunks = number;

/** 0 to 9007199254740991 */
export type Count = number;

/** 1 to 10000 */
export type DailyCap = number;

/** 0 to 2592000000 */
export type Delay = number;

/** 1 to 2592000000 */
export type Duration = number;

/** ^[a-z][a-z0-9_]{0,31}$ */
export type Field = string;

/** ^(?:authorisation|clawback|freezing|limits)$ */
export type Flag = string;

/** ^[0-9a-f]{64}$ */
export type Hash = string;

/** ^[0-9a-f]{40}$ */
export type Id = string;

/** ^(?:authorised|deauthorised|limited|frozen|unfrozen|clawed_back|recalled)$ */
export type Kind = string;

/** 1 to 316224000000 */
export type Lasting = number;

/** 1 to 316224000000 */
export type Lasts = number;

/** ^[A-Z0-9]{18}[0-9]{2}$ */
export type Lei = string;

/** ^[A-Za-z0-9][A-Za-z0-9 .,&'()/+-]{0,139}$ */
export type MemberName = string;

/** ^(?:active|suspended|left)$ */
export type MemberStatus = string;

/** ^(?:scan|device|check-in|self)$ */
export type Method = string;

/** ^(?:view|store|stream)$ */
export type Mode = string;

/** ^[a-z][a-z0-9_]{0,47}$ */
export type Name = string;

/** ^[0-9a-f]{40}$ */
export type NodeId = string;

/** ^[0-9a-f]{32}$ */
export type Nonce = string;

/** ^[0-9]{4}-(?:0[1-9]|1[0-2])$ */
export type Period = string;

/** 0 to 31622400000 */
export type PeriodMs = number;

/** ^[a-z][a-z0-9_]{0,47}[.][a-z][a-z0-9_]{0,47}$ */
export type PermissionName = string;

/**
 * ^(?:open|sealed|confirmed|revealed|claimed|settled|cancelled|withdrawn|lapsed|upheld|rejected)$
 */
export type Phase = string;

/** 1 to 1000000 */
export type Power = number;

/** ^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$ */
export type PublicKey = string;

/** ^dpv:[A-Z][A-Za-z]{0,62}$ */
export type Purpose = string;

/** ^[A-Za-z0-9-]{1,35}$ */
export type Reference = string;

/** ^[A-Z]{2}$ */
export type Region = string;

/** ^[a-z][a-z0-9_]{0,31}$ */
export type Role = string;

/** 0 to 1000000000 */
export type RowCount = number;

/** ^[a-z][a-z0-9_]{0,31}[.][1-9][0-9]{0,2}$ */
export type Schema = string;

/** ^(?:both|credits|debits)$ */
export type Scope = string;

/** ^[a-z][a-z0-9_]{0,23}[.][a-z][a-z0-9_]{0,47}$ */
export type SettingName = string;

/** ^[A-Za-z0-9_-]{1,256}[.][A-Za-z0-9_-]{1,3752}[.][A-Za-z0-9_-]{86}$ */
export type SignedText = string;

/** 0 to 65535 */
export type Small = number;

/** 0 to 1000000 */
export type SponsoredCount = number;

/** 0 to 9007199254740991 */
export type Time = number;

/** 1 to 100000000 */
export type Tokens = number;

/** ^(?:upheld|rejected)$ */
export type Verdict = string;

/** 1 to 1000 */
export type Version = number;

/** 1 to 100000000 */
export type Volume = number;

/** A public key and the algorithm it is for. */
export interface Key {
  readonly algorithm: Small;
  readonly public: PublicKey;
}

/** A key and what its signature counts towards a threshold. */
export interface WeightedKey {
  readonly key: Key;
  readonly weight: Small;
}

/** A freeze: by whom, of what, on which ground, since when and until when (exclusive). */
export interface Frozen {
  readonly by: Address;
  readonly scope: Scope;
  readonly reason: Small;
  readonly since: Time;
  readonly until: Time;
}

/** What one module, named by its vault, has reserved inside a holding. */
export interface Share {
  readonly by: Address;
  readonly amount: Amount;
}

/** How often data was read under one inspection, by kind, from the first time to the last. */
export interface Counted {
  readonly inspection: Id;
  readonly since: Time;
  readonly until: Time;
  readonly histories?: Count;
  readonly pages?: Count;
  readonly queries?: Count;
  readonly rows?: Count;
  readonly statements?: Count;
}

/** The fields of one schema that an enterprise may ask for. */
export interface Ask {
  readonly schema: Schema;
  readonly fields: readonly Field[];
}

/** A module that decides on this chain: its code is that of `hash`, or a node won't start. */
export interface ModuleLine {
  readonly number: Small;
  readonly name: Name;
  readonly version: Small;
  readonly hash: Hash;
}

/** Let a key vote on blocks with this power. */
export interface SetValidator {
  readonly "@type": "governance.set_validator";
  readonly key: PublicKey;
  readonly power: Power;
}

/** Let a key vote on blocks no more. */
export interface RemoveValidator {
  readonly "@type": "governance.remove_validator";
  readonly key: PublicKey;
}

/** Let a node connect to those of the network. */
export interface AdmitPeer {
  readonly "@type": "governance.admit_peer";
  readonly node: NodeId;
}

/** Let a node connect no more. */
export interface RemovePeer {
  readonly "@type": "governance.remove_peer";
  readonly node: NodeId;
}

/** Set a parameter within its declared bounds. */
export interface SetParameter {
  readonly "@type": "governance.set_parameter";
  readonly name: SettingName;
  readonly value: Count;
}

/** From a height on, modules have this code and features begin. */
export interface ScheduleUpgrade {
  readonly "@type": "governance.schedule_upgrade";
  readonly height: Count;
  readonly modules?: readonly ModuleLine[];
  readonly features?: readonly SettingName[];
}

/** Take back an upgrade that has not begun. */
export interface CancelUpgrade {
  readonly "@type": "governance.cancel_upgrade";
  readonly height: Count;
}

/** Let one more account propose and vote. */
export interface AddOperator {
  readonly "@type": "governance.add_operator";
  readonly operator: Address;
}

/** Let an account propose and vote no more. */
export interface RemoveOperator {
  readonly "@type": "governance.remove_operator";
  readonly operator: Address;
}

/** Ask for so many approvals of the proposals to come. */
export interface SetThreshold {
  readonly "@type": "governance.set_threshold";
  readonly threshold: Small;
}

/** Wait so long before the proposals to come are carried out. */
export interface SetDelay {
  readonly "@type": "governance.set_delay";
  readonly delay_ms: Delay;
}

/** Let an institution take part, or one that had left take part anew. */
export interface AdmitMember {
  readonly "@type": "governance.admit_member";
  readonly member: Lei;
  readonly name: MemberName;
  readonly accounts?: readonly Address[];
  readonly roles?: readonly Role[];
}

/** Let a member take part no more until it is readmitted; its operators are not heard. */
export interface SuspendMember {
  readonly "@type": "governance.suspend_member";
  readonly member: Lei;
}

/** Let a suspended member take part again. */
export interface ReadmitMember {
  readonly "@type": "governance.readmit_member";
  readonly member: Lei;
}

/** A member leaves: it loses its roles, and its accounts are operators no more. */
export interface EndMembership {
  readonly "@type": "governance.end_membership";
  readonly member: Lei;
}

/** Give a member a role. */
export interface GrantRole {
  readonly "@type": "governance.grant_role";
  readonly member: Lei;
  readonly role: Role;
}

/** Take a role from a member. */
export interface RevokeRole {
  readonly "@type": "governance.revoke_role";
  readonly member: Lei;
  readonly role: Role;
}

/** Let an account act for a member. */
export interface AddAccount {
  readonly "@type": "governance.add_account";
  readonly member: Lei;
  readonly account: Address;
}

/** Let an account act for a member no more. */
export interface RemoveAccount {
  readonly "@type": "governance.remove_account";
  readonly member: Lei;
  readonly account: Address;
}

/** Let a role send a message; the first grant reserves it, so that nobody else may. */
export interface GrantPermission {
  readonly "@type": "governance.grant_permission";
  readonly permission: PermissionName;
  readonly role: Role;
}

/** Let a role send a reserved message no more; it stays reserved, for whoever is left. */
export interface RevokePermission {
  readonly "@type": "governance.revoke_permission";
  readonly permission: PermissionName;
  readonly role: Role;
}

/** Let everybody send a message that was reserved. */
export interface OpenPermission {
  readonly "@type": "governance.open_permission";
  readonly permission: PermissionName;
}

/** Stop a module, and those that use it, for a time; a third of the operators suffices. */
export interface Halt {
  readonly "@type": "governance.halt";
  readonly module: Name;
  readonly duration_ms: Duration;
}

/** Let a halted module go on before its halt ends. */
export interface Resume {
  readonly "@type": "governance.resume";
  readonly module: Name;
}

/** Make an account a sponsor, or give it another allowance: what it and its accounts spend. */
export interface SetAllowance {
  readonly "@type": "governance.set_allowance";
  readonly sponsor: Address;
  readonly capacity: Tokens;
  readonly per_minute: Tokens;
  readonly accounts: SponsoredCount;
  readonly rows?: RowCount;
}

/** Let an account be a sponsor no more; those for whom it stood pay out of the common bucket. */
export interface EndAllowance {
  readonly "@type": "governance.end_allowance";
  readonly sponsor: Address;
}
