package fscc

import (
	"cmp"
	"maps"
	"slices"
)

// Code is a file system control code (FSCTL). [MS-FSCC] 2.3, [MS-SMB2] 2.2.31
type Code uint32

// The codes whose buffers are decoded, or that copies are made with.
const (
	DFSGetReferrals        Code = 0x00060194
	DFSGetReferralsEx      Code = 0x000601b0
	GetCompression         Code = 0x0009003c
	SetObjectID            Code = 0x00090098
	GetObjectID            Code = 0x0009009c
	SetReparsePoint        Code = 0x000900a4
	GetReparsePoint        Code = 0x000900a8
	DeleteReparsePoint     Code = 0x000900ac
	SetObjectIDExtended    Code = 0x000900bc
	CreateOrGetObjectID    Code = 0x000900c0
	SetSparse              Code = 0x000900c4
	GetIntegrity           Code = 0x0009027c
	QueryFileRegions       Code = 0x00090284
	QueryAllocatedRanges   Code = 0x000940cf
	OffloadRead            Code = 0x00094264
	SetZeroData            Code = 0x000980c8
	FileLevelTrim          Code = 0x00098208
	OffloadWrite           Code = 0x00098268
	DuplicateExtents       Code = 0x00098344
	DuplicateExtentsEx     Code = 0x000983e8
	SetCompression         Code = 0x0009c040
	SetIntegrity           Code = 0x0009c280
	PipeWait               Code = 0x00110018
	PipePeek               Code = 0x0011400c
	PipeTransceive         Code = 0x0011c017
	RequestResumeKey       Code = 0x00140078
	RequestResiliency      Code = 0x001401d4
	QueryNetworkInterfaces Code = 0x001401fc
	ValidateNegotiate      Code = 0x00140204
	EnumerateSnapshots     Code = 0x00144064
	CopyChunk              Code = 0x001440f2
	CopyChunkWrite         Code = 0x001480f2
)

// String returns the code's name. The number is printed beside it everywhere, so
// one without a name is just "Unknown".
func (c Code) String() string { return cmp.Or(codes[c], "Unknown") }

// Codes lists the codes that have a name, in order.
func Codes() []Code { return slices.Sorted(maps.Keys(codes)) }

// codes holds the names of Wireshark, and those of the specifications where it has
// none. Some names stand for two codes: Wireshark knows one with the access bits of an
// older specification, or with another method.
var codes = map[Code]string{
	DFSGetReferrals:        "FSCTL_DFS_GET_REFERRALS",
	DFSGetReferralsEx:      "FSCTL_DFS_GET_REFERRALS_EX",
	0x00090000:             "FSCTL_REQUEST_OPLOCK_LEVEL_1",
	0x00090004:             "FSCTL_REQUEST_OPLOCK_LEVEL_2",
	0x00090008:             "FSCTL_REQUEST_BATCH_OPLOCK",
	0x0009000c:             "FSCTL_OPLOCK_BREAK_ACKNOWLEDGE",
	0x00090010:             "FSCTL_OPBATCH_ACK_CLOSE_PENDING",
	0x00090014:             "FSCTL_OPLOCK_BREAK_NOTIFY",
	0x00090018:             "FSCTL_LOCK_VOLUME",
	0x0009001c:             "FSCTL_UNLOCK_VOLUME",
	0x00090020:             "FSCTL_DISMOUNT_VOLUME",
	0x00090028:             "FSCTL_IS_VOLUME_MOUNTED",
	0x0009002c:             "FSCTL_IS_PATHNAME_VALID",
	0x00090030:             "FSCTL_MARK_VOLUME_DIRTY",
	0x0009003b:             "FSCTL_QUERY_RETRIEVAL_POINTERS",
	GetCompression:         "FSCTL_GET_COMPRESSION",
	0x0009004f:             "FSCTL_MARK_AS_SYSTEM_HIVE",
	0x00090050:             "FSCTL_OPLOCK_BREAK_ACK_NO_2",
	0x00090054:             "FSCTL_INVALIDATE_VOLUMES",
	0x00090058:             "FSCTL_QUERY_FAT_BPB",
	0x0009005c:             "FSCTL_REQUEST_FILTER_OPLOCK",
	0x00090060:             "FSCTL_FILESYSTEM_GET_STATISTICS",
	0x00090064:             "FSCTL_GET_NTFS_VOLUME_DATA",
	0x00090068:             "FSCTL_GET_NTFS_FILE_RECORD",
	0x0009006f:             "FSCTL_GET_VOLUME_BITMAP",
	0x00090073:             "FSCTL_GET_RETRIEVAL_POINTERS",
	0x00090074:             "FSCTL_MOVE_FILE",
	0x00090078:             "FSCTL_IS_VOLUME_DIRTY",
	0x0009007c:             "FSCTL_GET_HFS_INFORMATION",
	0x00090083:             "FSCTL_ALLOW_EXTENDED_DASD_IO",
	0x00090087:             "FSCTL_READ_PROPERTY_DATA",
	0x0009008b:             "FSCTL_WRITE_PROPERTY_DATA",
	0x0009008f:             "FSCTL_FIND_FILES_BY_SID",
	0x00090097:             "FSCTL_DUMP_PROPERTY_DATA",
	SetObjectID:            "FSCTL_SET_OBJECT_ID",
	GetObjectID:            "FSCTL_GET_OBJECT_ID",
	0x000900a0:             "FSCTL_DELETE_OBJECT_ID",
	SetReparsePoint:        "FSCTL_SET_REPARSE_POINT",
	GetReparsePoint:        "FSCTL_GET_REPARSE_POINT",
	DeleteReparsePoint:     "FSCTL_DELETE_REPARSE_POINT",
	SetObjectIDExtended:    "FSCTL_SET_OBJECT_ID_EXTENDED",
	CreateOrGetObjectID:    "FSCTL_CREATE_OR_GET_OBJECT_ID",
	SetSparse:              "FSCTL_SET_SPARSE",
	0x000900d4:             "FSCTL_SET_ENCRYPTION",
	0x000900d7:             "FSCTL_SET_ENCRYPTION",
	0x000900db:             "FSCTL_ENCRYPTION_FSCTL_IO",
	0x000900df:             "FSCTL_WRITE_RAW_ENCRYPTED",
	0x000900e3:             "FSCTL_READ_RAW_ENCRYPTED",
	0x000900eb:             "FSCTL_READ_FILE_USN_DATA",
	0x000900ef:             "FSCTL_WRITE_USN_CLOSE_RECORD",
	0x000900f0:             "FSCTL_EXTEND_VOLUME",
	0x000900fc:             "FSCTL_MARK_HANDLE",
	0x00090100:             "FSCTL_SIS_COPYFILE",
	0x00090117:             "FSCTL_RECALL_FILE",
	0x00090138:             "FSCTL_QUERY_SPARING_INFO",
	0x0009013c:             "FSCTL_QUERY_ON_DISK_VOLUME_INFO",
	0x00090194:             "FSCTL_SET_ZERO_ON_DEALLOCATION",
	0x000901b4:             "FSCTL_SET_SHORT_NAME_BEHAVIOR",
	0x00090244:             "FSCTL_CSV_TUNNEL_REQUEST",
	GetIntegrity:           "FSCTL_GET_INTEGRITY_INFORMATION",
	QueryFileRegions:       "FSCTL_QUERY_FILE_REGIONS",
	0x000902c8:             "FSCTL_CSV_SYNC_TUNNEL_REQUEST",
	0x000902d8:             "FSCTL_GET_REFS_VOLUME_DATA",
	0x00090300:             "FSCTL_QUERY_SHARED_VIRTUAL_DISK_SUPPORT",
	0x00090304:             "FSCTL_SVHDX_SYNC_TUNNEL_REQUEST",
	0x00090308:             "FSCTL_SVHDX_SET_INITIATOR_INFORMATION",
	0x0009030c:             "FSCTL_SET_EXTERNAL_BACKING",
	0x00090310:             "FSCTL_GET_EXTERNAL_BACKING",
	0x00090314:             "FSCTL_DELETE_EXTERNAL_BACKING",
	0x00090318:             "FSCTL_ENUM_EXTERNAL_BACKING",
	0x0009031f:             "FSCTL_ENUM_OVERLAY",
	0x00090350:             "FSCTL_STORAGE_QOS_CONTROL",
	0x00090364:             "FSCTL_SVHDX_ASYNC_TUNNEL_REQUEST",
	0x00090380:             "FSCTL_SET_INTEGRITY_INFORMATION_EX",
	0x000903d3:             "FSCTL_GET_RETRIEVAL_POINTERS_AND_REFCOUNT",
	0x0009042b:             "FSCTL_GET_RETRIEVAL_POINTER_COUNT",
	0x00090440:             "FSCTL_REFS_STREAM_SNAPSHOT_MANAGEMENT",
	0x000940b3:             "FSCTL_ENUM_USN_DATA",
	0x000940b7:             "FSCTL_SECURITY_ID_CHECK",
	0x000940bb:             "FSCTL_READ_USN_JOURNAL",
	QueryAllocatedRanges:   "FSCTL_QUERY_ALLOCATED_RANGES",
	0x000940e7:             "FSCTL_CREATE_USN_JOURNAL",
	0x000940eb:             "FSCTL_READ_FILE_USN_DATA",
	0x000940ef:             "FSCTL_WRITE_USN_CLOSE_RECORD",
	OffloadRead:            "FSCTL_OFFLOAD_READ",
	0x00098098:             "FSCTL_SET_OBJECT_ID",
	0x000980a0:             "FSCTL_DELETE_OBJECT_ID",
	0x000980a4:             "FSCTL_SET_REPARSE_POINT",
	0x000980ac:             "FSCTL_DELETE_REPARSE_POINT",
	0x000980bc:             "FSCTL_SET_OBJECT_ID_EXTENDED",
	SetZeroData:            "FSCTL_SET_ZERO_DATA",
	0x000980d0:             "FSCTL_ENABLE_UPGRADE",
	0x00098134:             "FSCTL_SET_DEFECT_MANAGEMENT",
	FileLevelTrim:          "FSCTL_FILE_LEVEL_TRIM",
	OffloadWrite:           "FSCTL_OFFLOAD_WRITE",
	DuplicateExtents:       "FSCTL_DUPLICATE_EXTENTS_TO_FILE",
	DuplicateExtentsEx:     "FSCTL_DUPLICATE_EXTENTS_TO_FILE_EX",
	SetCompression:         "FSCTL_SET_COMPRESSION",
	SetIntegrity:           "FSCTL_SET_INTEGRITY_INFORMATION",
	PipeWait:               "FSCTL_PIPE_WAIT",
	PipePeek:               "FSCTL_PIPE_PEEK",
	PipeTransceive:         "FSCTL_PIPE_TRANSCEIVE",
	RequestResumeKey:       "FSCTL_SRV_REQUEST_RESUME_KEY",
	0x001400ec:             "FSCTL_LMR_SET_LINK_TRACKING_INFORMATION",
	RequestResiliency:      "FSCTL_LMR_REQUEST_RESILIENCY",
	QueryNetworkInterfaces: "FSCTL_QUERY_NETWORK_INTERFACE_INFO",
	0x00140200:             "FSCTL_VALIDATE_NEGOTIATE_INFO_224",
	ValidateNegotiate:      "FSCTL_VALIDATE_NEGOTIATE_INFO",
	EnumerateSnapshots:     "FSCTL_SRV_ENUMERATE_SNAPSHOTS",
	CopyChunk:              "FSCTL_SRV_COPYCHUNK",
	0x001441bb:             "FSCTL_SRV_READ_HASH",
	CopyChunkWrite:         "FSCTL_SRV_COPYCHUNK_WRITE",
}
