package rpc

import (
	"strings"

	"github.com/odxray/odxray/dissect/wire"
)

// operations are the procedures of interfaces by number, under the names that
// Wireshark has for them; a dash stands for one without.
var operations = map[string][]string{
	// [MS-SRVS] 3.1.4
	"srvsvc": strings.Fields(`
		NetCharDevEnum NetCharDevGetInfo NetCharDevControl NetCharDevQEnum NetCharDevQGetInfo NetCharDevQSetInfo
		NetCharDevQPurge NetCharDevQPurgeSelf NetConnEnum NetFileEnum NetFileGetInfo NetFileClose NetSessEnum
		NetSessDel NetShareAdd NetShareEnumAll NetShareGetInfo NetShareSetInfo NetShareDel NetShareDelSticky
		NetShareCheck NetSrvGetInfo NetSrvSetInfo NetDiskEnum NetServerStatisticsGet NetTransportAdd NetTransportEnum
		NetTransportDel NetRemoteTOD NetSetServiceBits NetPathType NetPathCanonicalize NetPathCompare NetNameValidate
		NETRPRNAMECANONICALIZE NetPRNameCompare NetShareEnum NetShareDelStart NetShareDelCommit NetGetFileSecurity
		NetSetFileSecurity NetServerTransportAddEx NetServerSetServiceBitsEx NETRDFSGETVERSION
		NETRDFSCREATELOCALPARTITION NETRDFSDELETELOCALPARTITION NETRDFSSETLOCALVOLUMESTATE NETRDFSSETSERVERINFO
		NETRDFSCREATEEXITPOINT NETRDFSDELETEEXITPOINT NETRDFSMODIFYPREFIX NETRDFSFIXLOCALVOLUME
		NETRDFSMANAGERREPORTSITEINFO NETRSERVERTRANSPORTDELEX`),
	// [MS-WKST] 3.2.4
	"wkssvc": strings.Fields(`
		NetWkstaGetInfo NetWkstaSetInfo NetWkstaEnumUsers NetrWkstaUserGetInfo NetrWkstaUserSetInfo
		NetWkstaTransportEnum NetrWkstaTransportAdd NetrWkstaTransportDel NetrUseAdd NetrUseGetInfo NetrUseDel
		NetrUseEnum NetrMessageBufferSend NetrWorkstationStatisticsGet NetrLogonDomainNameAdd NetrLogonDomainNameDel
		NetrJoinDomain NetrUnjoinDomain NetrRenameMachineInDomain NetrValidateName NetrGetJoinInformation
		NetrGetJoinableOus NetrJoinDomain2 NetrUnjoinDomain2 NetrRenameMachineInDomain2 NetrValidateName2
		NetrGetJoinableOus2 NetrAddAlternateComputerName NetrRemoveAlternateComputerName NetrSetPrimaryComputername
		NetrEnumerateComputerNames`),
	// [MS-SAMR] 3.1.5
	"samr": strings.Fields(`
		Connect Close SetSecurity QuerySecurity Shutdown LookupDomain EnumDomains OpenDomain QueryDomainInfo
		SetDomainInfo CreateDomainGroup EnumDomainGroups CreateUser EnumDomainUsers CreateDomAlias EnumDomainAliases
		GetAliasMembership LookupNames LookupRids OpenGroup QueryGroupInfo SetGroupInfo AddGroupMember
		DeleteDomainGroup DeleteGroupMember QueryGroupMember SetMemberAttributesOfGroup OpenAlias QueryAliasInfo
		SetAliasInfo DeleteDomAlias AddAliasMember DeleteAliasMember GetMembersInAlias OpenUser DeleteUser
		QueryUserInfo SetUserInfo ChangePasswordUser GetGroupsForUser QueryDisplayInfo GetDisplayEnumerationIndex
		TestPrivateFunctionsDomain TestPrivateFunctionsUser GetUserPwInfo RemoveMemberFromForeignDomain
		QueryDomainInfo2 QueryUserInfo2 QueryDisplayInfo2 GetDisplayEnumerationIndex2 CreateUser2 QueryDisplayInfo3
		AddMultipleMembersToAlias RemoveMultipleMembersFromAlias OemChangePasswordUser2 ChangePasswordUser2
		GetDomPwInfo Connect2 SetUserInfo2 SetBootKeyInformation GetBootKeyInformation Connect3 Connect4
		ChangePasswordUser3 Connect5 RidToSid SetDsrmPassword ValidatePassword`),
	// [MS-LSAD] 3.1.4, [MS-LSAT] 3.1.4
	"lsarpc": strings.Fields(`
		lsa_Close lsa_Delete lsa_EnumPrivs lsa_QuerySecurity lsa_SetSecObj lsa_ChangePassword lsa_OpenPolicy
		lsa_QueryInfoPolicy lsa_SetInfoPolicy lsa_ClearAuditLog lsa_CreateAccount lsa_EnumAccounts
		lsa_CreateTrustedDomain lsa_EnumTrustDom lsa_LookupNames lsa_LookupSids lsa_CreateSecret lsa_OpenAccount
		lsa_EnumPrivsAccount lsa_AddPrivilegesToAccount lsa_RemovePrivilegesFromAccount lsa_GetQuotasForAccount
		lsa_SetQuotasForAccount lsa_GetSystemAccessAccount lsa_SetSystemAccessAccount lsa_OpenTrustedDomain
		lsa_QueryTrustedDomainInfo lsa_SetInformationTrustedDomain lsa_OpenSecret lsa_SetSecret lsa_QuerySecret
		lsa_LookupPrivValue lsa_LookupPrivName lsa_LookupPrivDisplayName lsa_DeleteObject
		lsa_EnumAccountsWithUserRight lsa_EnumAccountRights lsa_AddAccountRights lsa_RemoveAccountRights
		lsa_QueryTrustedDomainInfoBySid lsa_SetTrustedDomainInfo lsa_DeleteTrustedDomain lsa_StorePrivateData
		lsa_RetrievePrivateData lsa_OpenPolicy2 lsa_GetUserName lsa_QueryInfoPolicy2 lsa_SetInfoPolicy2
		lsa_QueryTrustedDomainInfoByName lsa_SetTrustedDomainInfoByName lsa_EnumTrustedDomainsEx
		lsa_CreateTrustedDomainEx lsa_CloseTrustedDomainEx lsa_QueryDomainInformationPolicy
		lsa_SetDomainInformationPolicy lsa_OpenTrustedDomainByName lsa_TestCall lsa_LookupSids2 lsa_LookupNames2
		lsa_CreateTrustedDomainEx2 lsa_CREDRWRITE lsa_CREDRREAD lsa_CREDRENUMERATE lsa_CREDRWRITEDOMAINCREDENTIALS
		lsa_CREDRREADDOMAINCREDENTIALS lsa_CREDRDELETE lsa_CREDRGETTARGETINFO lsa_CREDRPROFILELOADED lsa_LookupNames3
		lsa_CREDRGETSESSIONTYPES lsa_LSARREGISTERAUDITEVENT lsa_LSARGENAUDITEVENT lsa_LSARUNREGISTERAUDITEVENT
		lsa_lsaRQueryForestTrustInformation lsa_LSARSETFORESTTRUSTINFORMATION lsa_CREDRRENAME lsa_LookupSids3
		lsa_LookupNames4 lsa_LSAROPENPOLICYSCE lsa_LSARADTREGISTERSECURITYEVENTSOURCE
		lsa_LSARADTUNREGISTERSECURITYEVENTSOURCE lsa_LSARADTREPORTSECURITYEVENT`),
	// [MS-NRPC] 3.5.4
	"netlogon": strings.Fields(`
		NetrLogonUasLogon NetrLogonUasLogoff NetrLogonSamLogon NetrLogonSamLogoff NetrServerReqChallenge
		NetrServerAuthenticate NetrServerPasswordSet NetrDatabaseDeltas NetrDatabaseSync NetrAccountDeltas
		NetrAccountSync NetrGetDCName NetrLogonControl NetrGetAnyDCName NetrLogonControl2 NetrServerAuthenticate2
		NetrDatabaseSync2 NetrDatabaseRedo NetrLogonControl2Ex NetrEnumerateTrustedDomains DsrGetDcName
		NetrLogonDummyRoutine1 NetrLogonSetServiceBits NetrLogonGetTrustRid NetrLogonComputeServerDigest
		NetrLogonComputeClientDigest NetrServerAuthenticate3 DsrGetDcNameEx DsrGetSiteName NetrLogonGetDomainInfo
		NetrServerPasswordSet2 NetrServerPasswordGet NetrLogonSendToSam DsrAddressToSiteNamesW DsrGetDcNameEx2
		NetrLogonGetTimeServiceParentDomain NetrEnumerateTrustedDomainsEx DsrAddressToSiteNamesExW
		DsrGetDcSiteCoverageW NetrLogonSamLogonEx DsrEnumerateDomainTrusts DsrDeregisterDnsHostRecords
		NetrServerTrustPasswordsGet DsrGetForestTrustInformation NetrGetForestTrustInformation
		NetrLogonSamLogonWithFlags NetrServerGetTrustInfo`),
	// [MS-RRP] 3.1.5
	"winreg": strings.Fields(`
		OpenHKCR OpenHKCU OpenHKLM OpenHKPD OpenHKU CloseKey CreateKey DeleteKey DeleteValue EnumKey EnumValue
		FlushKey GetKeySecurity LoadKey NotifyChangeKeyValue OpenKey QueryInfoKey QueryValue ReplaceKey RestoreKey
		SaveKey SetKeySecurity SetValue UnLoadKey InitiateSystemShutdown AbortSystemShutdown GetVersion OpenHKCC
		OpenHKDD QueryMultipleValues InitiateSystemShutdownEx SaveKeyEx OpenHKPT OpenHKPN QueryMultipleValues2
		DeleteKeyEx`),
	// [MS-SCMR] 3.1.4
	"svcctl": strings.Fields(`
		CloseServiceHandle ControlService DeleteService LockServiceDatabase QueryServiceObjectSecurity
		SetServiceObjectSecurity QueryServiceStatus SetServiceStatus UnlockServiceDatabase NotifyBootConfigStatus
		ScSetServiceBitsW ChangeServiceConfigW CreateServiceW EnumDependentServicesW EnumServicesStatusW
		OpenSCManagerW OpenServiceW QueryServiceConfigW QueryServiceLockStatusW StartServiceW GetServiceDisplayNameW
		GetServiceKeyNameW ScSetServiceBitsA ChangeServiceConfigA CreateServiceA EnumDependentServicesA
		EnumServicesStatusA OpenSCManagerA OpenServiceA QueryServiceConfigA QueryServiceLockStatusA StartServiceA
		GetServiceDisplayNameA GetServiceKeyNameA ScGetCurrentGroupStateW EnumServiceGroupW ChangeServiceConfig2A
		ChangeServiceConfig2W QueryServiceConfig2A QueryServiceConfig2W QueryServiceStatusEx EnumServicesStatusExA
		EnumServicesStatusExW ScSendTSMessage`),
	// [MS-RPRN] 3.1.4
	"spoolss": strings.Fields(`
		EnumPrinters OpenPrinter SetJob GetJob EnumJobs AddPrinter DeletePrinter SetPrinter GetPrinter
		AddPrinterDriver EnumPrinterDrivers GetPrinterDriver GetPrinterDriverDirectory DeletePrinterDriver
		AddPrintProcessor EnumPrintProcessor GetPrintProcessorDirectory StartDocPrinter StartPagePrinter WritePrinter
		EndPagePrinter AbortPrinter ReadPrinter EndDocPrinter AddJob ScheduleJob GetPrinterData SetPrinterData
		WaitForPrinterChange ClosePrinter AddForm DeleteForm GetForm SetForm EnumForms EnumPorts EnumMonitors AddPort
		ConfigurePort DeletePort CreatePrinterIC PlayDiscriptOnPrinterIC DeletePrinterIC AddPrinterConnection
		DeletePrinterConnection PrinterMessageBox AddMonitor DeleteMonitor DeletePrintProcessor AddPrintProvider
		DeletePrintProvider EnumPrintProcDataTypes ResetPrinter GetPrinterDriver2 FindFirstPrinterChangeNotification
		FindNextPrinterChangeNotification FCPN RouterFindFirstPrinterNotificationOld ReplyOpenPrinter
		RouterReplyPrinter ReplyClosePrinter AddPortEx RemoteFindFirstPrinterChangeNotification SpoolerInit
		ResetPrinterEx RFFPCNEX RRPCN RFNPCNEX - OpenPrinterEx AddPrinterEx - EnumPrinterData DeletePrinterData - - -
		SetPrinterDataEx GetPrinterDataEx EnumPrinterDataEx EnumPrinterKey DeletePrinterDataEx - -
		DeletePrinterDriverEx - - - - AddPrinterDriverEx - - - - - - - - - - - - GetCorePrinterDrivers -
		GetPrinterDriverPackagePath`),
	// [MS-PAR] 3.1.4
	"IRemoteWinspool": strings.Fields(`
		winspool_AsyncOpenPrinter winspool_AsyncAddPrinter winspool_AsyncSetJob winspool_AsyncGetJob
		winspool_AsyncEnumJobs winspool_AsyncAddJob winspool_AsyncScheduleJob winspool_AsyncDeletePrinter
		winspool_AsyncSetPrinter winspool_AsyncGetPrinter winspool_AsyncStartDocPrinter winspool_AsyncStartPagePrinter
		winspool_AsyncWritePrinter winspool_AsyncEndPagePrinter winspool_AsyncEndDocPrinter winspool_AsyncAbortPrinter
		winspool_AsyncGetPrinterData winspool_AsyncGetPrinterDataEx winspool_AsyncSetPrinterData
		winspool_AsyncSetPrinterDataEx winspool_AsyncClosePrinter winspool_AsyncAddForm winspool_AsyncDeleteForm
		winspool_AsyncGetForm winspool_AsyncSetForm winspool_AsyncEnumForms winspool_AsyncGetPrinterDriver
		winspool_AsyncEnumPrinterData winspool_AsyncEnumPrinterDataEx winspool_AsyncEnumPrinterKey
		winspool_AsyncDeletePrinterData winspool_AsyncDeletePrinterDataEx winspool_AsyncDeletePrinterKey
		winspool_AsyncXcvData winspool_AsyncSendRecvBidiData winspool_AsyncCreatePrinterIC
		winspool_AsyncPlayGdiScriptOnPrinterIC winspool_AsyncDeletePrinterIC winspool_AsyncEnumPrinters
		winspool_AsyncAddPrinterDriver winspool_AsyncEnumPrinterDrivers winspool_AsyncGetPrinterDriverDirectory
		winspool_AsyncDeletePrinterDriver winspool_AsyncDeletePrinterDriverEx winspool_AsyncAddPrintProcessor
		winspool_AsyncEnumPrintProcessors winspool_AsyncGetPrintProcessorDirectory winspool_AsyncEnumPorts
		winspool_AsyncEnumMonitors winspool_AsyncAddPort winspool_AsyncSetPort winspool_AsyncAddMonitor
		winspool_AsyncDeleteMonitor winspool_AsyncDeletePrintProcessor winspool_AsyncEnumPrintProcessorDatatypes
		winspool_AsyncAddPerMachineConnection winspool_AsyncDeletePerMachineConnection
		winspool_AsyncEnumPerMachineConnections winspool_SyncRegisterForRemoteNotifications
		winspool_SyncUnRegisterForRemoteNotifications winspool_SyncRefreshRemoteNotifications
		winspool_AsyncGetRemoteNotifications winspool_AsyncInstallPrinterDriverFromPackage
		winspool_AsyncUploadPrinterDriverPackage winspool_AsyncGetCorePrinterDrivers
		winspool_AsyncCorePrinterDriverInstalled winspool_AsyncGetPrinterDriverPackagePath
		winspool_AsyncDeletePrinterDriverPackage winspool_AsyncReadPrinter winspool_AsyncResetPrinter
		winspool_AsyncGetJobNamedPropertyValue winspool_AsyncSetJobNamedProperty winspool_AsyncDeleteJobNamedProperty
		winspool_AsyncEnumJobNamedProperties winspool_AsyncLogJobInfoForBranchOffice`),
	// [MS-DFSNM] 3.1.4
	"netdfs": strings.Fields(`
		dfs_GetManagerVersion dfs_Add dfs_Remove dfs_SetInfo dfs_GetInfo dfs_Enum dfs_Rename dfs_Move
		dfs_ManagerGetConfigInfo dfs_ManagerSendSiteInfo dfs_AddFtRoot dfs_RemoveFtRoot dfs_AddStdRoot
		dfs_RemoveStdRoot dfs_ManagerInitialize dfs_AddStdRootForced dfs_GetDcAddress dfs_SetDcAddress
		dfs_FlushFtTable dfs_Add2 dfs_Remove2 dfs_EnumEx dfs_SetInfo2`),
	// [MS-SWN] 3.1.4
	"witness": strings.Fields(`
		GetInterfaceList Register UnRegister AsyncNotify RegisterEx`),
	// [MS-FSRVP] 3.1.4
	"FileServerVssAgent": strings.Fields(`
		GetSupportedVersion SetContext StartShadowCopySet AddToShadowCopySet CommitShadowCopySet ExposeShadowCopySet
		RecoveryCompleteShadowCopySet AbortShadowCopySet IsPathSupported IsPathShadowCopied GetShareMapping
		DeleteShareMapping PrepareShadowCopySet`),
	// [MS-EVEN] 3.1.4
	"eventlog": strings.Fields(`
		ClearEventLogW BackupEventLogW CloseEventLog DeregisterEventSource GetNumRecords GetOldestRecord ChangeNotify
		OpenEventLogW RegisterEventSourceW OpenBackupEventLogW ReadEventLogW ReportEventW ClearEventLogA
		BackupEventLogA OpenEventLogA RegisterEventSourceA OpenBackupEventLogA ReadEventLogA ReportEventA
		RegisterClusterSvc DeregisterClusterSvc WriteClusterEvents GetLogIntormation FlushEventLog`),
	"atsvc": strings.Fields(`
		JobAdd JobDel JobEnum JobGetInfo`),
	"ITaskSchedulerService": strings.Fields(`
		SchRpcHighestVersion SchRpcRegisterTask SchRpcRetrieveTask SchRpcCreateFolder SchRpcSetSecurity
		SchRpcGetSecurity SchRpcEnumFolders SchRpcEnumTasks SchRpcEnumInstances SchRpcGetInstanceInfo
		SchRpcStopInstance SchRpcStop SchRpcRun SchRpcDelete SchRpcRename SchRpcScheduledRuntimes SchRpcGetLastRunInfo
		SchRpcGetTaskInfo SchRpcGetNumberOfMissedRuns SchRpcEnableTask`),
	"browser": strings.Fields(`
		BrowserrServerEnum BrowserrDebugCall BrowserrQueryOtherDomains BrowserrResetNetlogonState BrowserrDebugTrace
		BrowserrQueryStatistics BrowserrResetStatistics NetrBrowserStatisticsClear NetrBrowserStatisticsGet
		BrowserrSetNetlogonState BrowserrQueryEmulatedDomains BrowserrServerEnumEx`),
	"InitShutdown": strings.Fields(`
		Init Abort InitEx`),
	"dssetup": strings.Fields(`
		DsRoleGetPrimaryDomainInformation DsRoleDnsNameToFlatName DsRoleDcAsDc DsRoleDcAsReplica DsRoleDemoteDc
		DsRoleGetDcOperationProgress DsRoleGetDcOperationResults DsRoleCancel DsRoleServerSaveStateForUpgrade
		DsRoleUpgradeDownlevelServer DsRoleAbortDownlevelServerUpgrade`),
	"drsuapi": strings.Fields(`
		DsBind DsUnbind DsReplicaSync DsGetNCChanges DsReplicaUpdateRefs DRSUAPI_REPLICA_ADD DRSUAPI_REPLICA_DEL
		DRSUAPI_REPLICA_MODIFY DRSUAPI_VERIFY_NAMES DRSUAPI_GET_MEMBERSHIPS DRSUAPI_INTER_DOMAIN_MOVE
		DRSUAPI_GET_NT4_CHANGELOG DsCrackNames DsWriteAccountSpn DRSUAPI_REMOVE_DS_SERVER DRSUAPI_REMOVE_DS_DOMAIN
		DsGetDomainControllerInfo DsAddEntry DRSUAPI_EXECUTE_KCC DsReplicaGetInfo DRSUAPI_ADD_SID_HISTORY
		DRSUAPI_GET_MEMBERSHIPS2 DRSUAPI_REPLICA_VERIFY_OBJECTS DRSUAPI_GET_OBJECT_EXISTENCE
		DRSUAPI_QUERY_SITES_BY_COST`),
	"efsrpc": strings.Fields(`
		EfsRpcOpenFileRaw EfsRpcReadFileRaw EfsRpcWriteFileRaw EfsRpcCloseRaw EfsRpcEncryptFileSrv
		EfsRpcDecryptFileSrv EfsRpcQueryUsersOnFile EfsRpcQueryRecoveryAgents EfsRpcRemoveUsersFromFile
		EfsRpcAddUsersToFile EfsRpcSetFileEncryptionKey EfsRpcNotSupported EfsRpcFileKeyInfo
		EfsRpcDuplicateEncryptionInfoFile`),
	"mdssvc": strings.Fields(`
		open unknown1 cmd close`),
	"epmapper": strings.Fields(`
		Insert Delete Lookup Map LookupHandleFree InqObject MgmtDelete`),
	"mgmt": strings.Fields(`
		rpc__mgmt_inq_if_ids rpc__mgmt_inq_stats rpc__mgmt_is_server_listening rpc__mgmt_stop_server_listening
		rpc__mgmt_inq_princ_name`),
	"dnsserver": strings.Fields(`
		DnssrvOperation DnssrvQuery DnssrvComplexOperation DnssrvEnumRecords DnssrvUpdateRecord DnssrvOperation2
		DnssrvQuery2 DnssrvComplexOperation2 DnssrvEnumRecords2 DnssrvUpdateRecord2`),
	"frsrpc": strings.Fields(`
		FrsSendCommPkt FrsVerifyPromotionParent FrsStartPromotionParent FrsNOP FRSRPC_BACKUP_COMPLETE
		FRSRPC_BACKUP_COMPLETE_5 FRSRPC_BACKUP_COMPLETE_6 FRSRPC_BACKUP_COMPLETE_7 FRSRPC_BACKUP_COMPLETE_8
		FRSRPC_BACKUP_COMPLETE_9 FRSRPC_VERIFY_PROMOTION_PARENT_EX`),
	"msgsvcsend": strings.Fields(`
		NetrSendMessage`),
}

// Operation returns the name of a procedure of a well-known interface, or "".
func Operation(uuid wire.GUID, opnum uint16) string {
	list := operations[InterfaceName(uuid)]
	if int(opnum) >= len(list) || list[opnum] == "-" {
		return ""
	}
	return list[opnum]
}
