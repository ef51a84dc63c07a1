/** Generated from the modules by `make reference`: change those, not this file. */

import type {
  AccountAddKey,
  AccountApproveRecovery,
  AccountCancelChange,
  AccountClose,
  AccountOpen,
  AccountProposeRecovery,
  AccountRemoveKey,
  AccountRotateKey,
  AccountSetGuardians,
  AccountSetIncoming,
  AccountSetLanes,
  AccountSetThresholds,
  AccountVetoRecovery,
} from "./account_messages.js";
import type {
  AssetAuthorise,
  AssetClawBack,
  AssetDeauthorise,
  AssetDefine,
  AssetFreeze,
  AssetIssue,
  AssetRedeem,
  AssetSetFlags,
  AssetSetLimit,
  AssetTransfer,
  AssetUnfreeze,
} from "./asset_messages.js";
import type {
  HoldCapture,
  HoldExtend,
  HoldPlace,
  HoldRecall,
  HoldRelease,
} from "./hold_messages.js";
import type {
  MandateCollect,
  MandateGrant,
  MandateRevoke,
} from "./mandate_messages.js";
import type {
  ReadingCloseInspection,
  ReadingOpenInspection,
  ReadingRecordReads,
} from "./reading_messages.js";
import type {
  DataAccept,
  DataAdmitSource,
  DataAttestDeletion,
  DataCancelOrder,
  DataClaim,
  DataCommit,
  DataConfirm,
  DataDefineSchema,
  DataEndSource,
  DataFreeze,
  DataMakeOffer,
  DataPlaceOrder,
  DataPostBond,
  DataProveTwoContents,
  DataPull,
  DataRegisterEnterprise,
  DataRetire,
  DataReveal,
  DataSeal,
  DataServe,
  DataSuspendEnterprise,
  DataVote,
  DataWithdrawBond,
  DataWithdrawOffer,
  DataWithdrawOrder,
} from "./data_messages.js";
import type {
  UpgradeCancel,
  UpgradeSchedule,
} from "./upgrade_messages.js";
import type {
  GovernanceCancel,
  GovernanceFound,
  GovernancePropose,
  GovernanceVote,
} from "./governance_messages.js";
import type {
  SponsorEndTerms,
  SponsorGrant,
  SponsorLeave,
  SponsorRevoke,
  SponsorSetTerms,
  SponsorTake,
} from "./sponsor_messages.js";

export * from "./account_messages.js";
export * from "./asset_messages.js";
export * from "./hold_messages.js";
export * from "./mandate_messages.js";
export * from "./reading_messages.js";
export * from "./data_messages.js";
export * from "./upgrade_messages.js";
export * from "./governance_messages.js";
export * from "./sponsor_messages.js";
export * from "./records.js";
export * from "./data_records.js";
export * from "./reasons.js";
export * from "./tables.js";
export * from "./values.js";

/** Every message of the modules here. */
export type Message =
  | AccountCancelChange
  | AccountSetGuardians
  | AccountProposeRecovery
  | AccountApproveRecovery
  | AccountVetoRecovery
  | AccountOpen
  | AccountAddKey
  | AccountRotateKey
  | AccountRemoveKey
  | AccountSetThresholds
  | AccountSetLanes
  | AccountSetIncoming
  | AccountClose
  | AssetDefine
  | AssetIssue
  | AssetRedeem
  | AssetTransfer
  | AssetSetFlags
  | AssetAuthorise
  | AssetDeauthorise
  | AssetSetLimit
  | AssetFreeze
  | AssetUnfreeze
  | AssetClawBack
  | HoldPlace
  | HoldCapture
  | HoldRelease
  | HoldExtend
  | HoldRecall
  | MandateGrant
  | MandateRevoke
  | MandateCollect
  | ReadingOpenInspection
  | ReadingCloseInspection
  | ReadingRecordReads
  | DataPostBond
  | DataWithdrawBond
  | DataPull
  | DataDefineSchema
  | DataRegisterEnterprise
  | DataSuspendEnterprise
  | DataAdmitSource
  | DataEndSource
  | DataServe
  | DataCommit
  | DataRetire
  | DataClaim
  | DataVote
  | DataMakeOffer
  | DataWithdrawOffer
  | DataAttestDeletion
  | DataPlaceOrder
  | DataSeal
  | DataConfirm
  | DataReveal
  | DataAccept
  | DataCancelOrder
  | DataWithdrawOrder
  | DataFreeze
  | DataProveTwoContents
  | UpgradeSchedule
  | UpgradeCancel
  | GovernanceFound
  | GovernancePropose
  | GovernanceVote
  | GovernanceCancel
  | SponsorGrant
  | SponsorRevoke
  | SponsorSetTerms
  | SponsorEndTerms
  | SponsorTake
  | SponsorLeave;
