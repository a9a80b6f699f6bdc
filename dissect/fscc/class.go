package fscc

import "cmp"

// InfoType says what a class of information is about: classes of different types
// share numbers. [MS-SMB2] 2.2.37
type InfoType uint8

const (
	TypeFile       InfoType = 1
	TypeFileSystem InfoType = 2
	TypeSecurity   InfoType = 3
	TypeQuota      InfoType = 4
)

var typeNames = [...]string{1: "FILE_INFO", "FS_INFO", "SEC_INFO", "QUOTA_INFO"}

// String returns the name that Wireshark has for it.
func (t InfoType) String() string {
	if int(t) < len(typeNames) {
		return cmp.Or(typeNames[t], "Unknown")
	}
	return "Unknown"
}

// FileClass is a class of information about a file, or a level of a directory's
// listing. [MS-FSCC] 2.4
type FileClass uint8

const (
	FileDirectory              FileClass = 1
	FileFullDirectory          FileClass = 2
	FileBothDirectory          FileClass = 3
	FileBasic                  FileClass = 4
	FileStandard               FileClass = 5
	FileInternal               FileClass = 6
	FileEA                     FileClass = 7
	FileAccess                 FileClass = 8
	FileName                   FileClass = 9
	FileRename                 FileClass = 10
	FileLink                   FileClass = 11
	FileNames                  FileClass = 12
	FileDisposition            FileClass = 13
	FilePosition               FileClass = 14
	FileFullEA                 FileClass = 15
	FileMode                   FileClass = 16
	FileAlignment              FileClass = 17
	FileAll                    FileClass = 18
	FileAllocation             FileClass = 19
	FileEndOfFile              FileClass = 20
	FileAlternateName          FileClass = 21
	FileStream                 FileClass = 22
	FilePipe                   FileClass = 23
	FilePipeLocal              FileClass = 24
	FilePipeRemote             FileClass = 25
	FileMailslotQuery          FileClass = 26
	FileMailslotSet            FileClass = 27
	FileCompression            FileClass = 28
	FileObjectID               FileClass = 29
	FileQuota                  FileClass = 32
	FileReparsePoint           FileClass = 33
	FileNetworkOpen            FileClass = 34
	FileAttributeTag           FileClass = 35
	FileIDBothDirectory        FileClass = 37
	FileIDFullDirectory        FileClass = 38
	FileValidDataLength        FileClass = 39
	FileShortName              FileClass = 40
	FileSfioReserve            FileClass = 44
	FileSfioVolume             FileClass = 45
	FileHardLink               FileClass = 46
	FileNormalizedName         FileClass = 48
	FileNetworkPhysicalName    FileClass = 49
	FileIDGlobalTxDirectory    FileClass = 50
	FileStandardLink           FileClass = 54
	FileRemoteProtocol         FileClass = 55
	FileVolumeName             FileClass = 58
	FileID                     FileClass = 59
	FileIDExtdDirectory        FileClass = 60
	FileIDExtdBothDirectory    FileClass = 63
	FileDispositionEx          FileClass = 64
	FileRenameEx               FileClass = 65
	FileStat                   FileClass = 68
	FileStatLx                 FileClass = 70
	FileCaseSensitive          FileClass = 71
	FileLinkEx                 FileClass = 72
	FileStatBasic              FileClass = 77
	FileID64ExtdDirectory      FileClass = 78
	FileID64ExtdBothDirectory  FileClass = 79
	FileIDAllExtdDirectory     FileClass = 80
	FileIDAllExtdBothDirectory FileClass = 81
	FilePosix                  FileClass = 100 // of the SMB3 POSIX extensions
)

// fileClasses holds Wireshark's names, and others made like them.
var fileClasses = map[FileClass]string{
	FileBasic:               "SMB2_FILE_BASIC_INFO",
	FileStandard:            "SMB2_FILE_STANDARD_INFO",
	FileInternal:            "SMB2_FILE_INTERNAL_INFO",
	FileEA:                  "SMB2_FILE_EA_INFO",
	FileAccess:              "SMB2_FILE_ACCESS_INFO",
	FileName:                "SMB2_FILE_NAME_INFO",
	FileRename:              "SMB2_FILE_RENAME_INFO",
	FileLink:                "SMB2_FILE_LINK_INFO",
	FileNames:               "SMB2_FILE_NAMES_INFO",
	FileDisposition:         "SMB2_FILE_DISPOSITION_INFO",
	FilePosition:            "SMB2_FILE_POSITION_INFO",
	FileFullEA:              "SMB2_FILE_FULL_EA_INFO",
	FileMode:                "SMB2_FILE_MODE_INFO",
	FileAlignment:           "SMB2_FILE_ALIGNMENT_INFO",
	FileAll:                 "SMB2_FILE_ALL_INFO",
	FileAllocation:          "SMB2_FILE_ALLOCATION_INFO",
	FileEndOfFile:           "SMB2_FILE_ENDOFFILE_INFO",
	FileAlternateName:       "SMB2_FILE_ALTERNATE_NAME_INFO",
	FileStream:              "SMB2_FILE_STREAM_INFO",
	FilePipe:                "SMB2_FILE_PIPE_INFO",
	FilePipeLocal:           "SMB2_FILE_PIPE_LOCAL_INFO",
	FilePipeRemote:          "SMB2_FILE_PIPE_REMOTE_INFO",
	FileMailslotQuery:       "SMB2_FILE_MAILSLOT_QUERY_INFO",
	FileMailslotSet:         "SMB2_FILE_MAILSLOT_SET_INFO",
	FileCompression:         "SMB2_FILE_COMPRESSION_INFO",
	FileObjectID:            "SMB2_FILE_OBJECT_ID_INFO",
	FileQuota:               "SMB2_FILE_QUOTA_INFO",
	FileReparsePoint:        "SMB2_FILE_REPARSE_POINT_INFO",
	FileNetworkOpen:         "SMB2_FILE_NETWORK_OPEN_INFO",
	FileAttributeTag:        "SMB2_FILE_ATTRIBUTE_TAG_INFO",
	FileValidDataLength:     "SMB2_FILE_VALID_DATA_LENGTH_INFO",
	FileShortName:           "SMB2_FILE_SHORT_NAME_INFO",
	FileSfioReserve:         "SMB2_FILE_SFIO_RESERVE_INFO",
	FileSfioVolume:          "SMB2_FILE_SFIO_VOLUME_INFO",
	FileNetworkPhysicalName: "SMB2_FILE_NETWORK_PHYSICAL_NAME_INFO",
	FileVolumeName:          "SMB2_FILE_VOLUME_NAME_INFO",
	FileHardLink:            "SMB2_FILE_HARD_LINK_INFO",
	FileNormalizedName:      "SMB2_FILE_NORMALIZED_NAME_INFO",
	FileStandardLink:        "SMB2_FILE_STANDARD_LINK_INFO",
	FileRemoteProtocol:      "SMB2_FILE_REMOTE_PROTOCOL_INFO",
	FileID:                  "SMB2_FILE_ID_INFO",
	FileDispositionEx:       "SMB2_FILE_DISPOSITION_INFO_EX",
	FileRenameEx:            "SMB2_FILE_RENAME_INFO_EX",
	FileStat:                "SMB2_FILE_STAT_INFO",
	FileStatLx:              "SMB2_FILE_STAT_LX_INFO",
	FileCaseSensitive:       "SMB2_FILE_CASE_SENSITIVE_INFO",
	FileLinkEx:              "SMB2_FILE_LINK_INFO_EX",
	FileStatBasic:           "SMB2_FILE_STAT_BASIC_INFO",
	FilePosix:               "SMB2_FILE_POSIX_INFO",
}

func (c FileClass) String() string { return cmp.Or(fileClasses[c], "Unknown") }

// levels names the classes that a directory's listing comes in.
var levels = map[FileClass]string{
	FileDirectory:              "SMB2_FIND_DIRECTORY_INFO",
	FileFullDirectory:          "SMB2_FIND_FULL_DIRECTORY_INFO",
	FileBothDirectory:          "SMB2_FIND_BOTH_DIRECTORY_INFO",
	4:                          "SMB2_FIND_INDEX_SPECIFIED",
	FileNames:                  "SMB2_FIND_NAME_INFO",
	FileIDBothDirectory:        "SMB2_FIND_ID_BOTH_DIRECTORY_INFO",
	FileIDFullDirectory:        "SMB2_FIND_ID_FULL_DIRECTORY_INFO",
	FileIDGlobalTxDirectory:    "SMB2_FIND_ID_GLOBAL_TX_DIRECTORY_INFO",
	FileIDExtdDirectory:        "SMB2_FIND_ID_EXTD_DIRECTORY_INFO",
	FileIDExtdBothDirectory:    "SMB2_FIND_ID_EXTD_BOTH_DIRECTORY_INFO",
	FileID64ExtdDirectory:      "SMB2_FIND_ID_64_EXTD_DIRECTORY_INFO",
	FileID64ExtdBothDirectory:  "SMB2_FIND_ID_64_EXTD_BOTH_DIRECTORY_INFO",
	FileIDAllExtdDirectory:     "SMB2_FIND_ID_ALL_EXTD_DIRECTORY_INFO",
	FileIDAllExtdBothDirectory: "SMB2_FIND_ID_ALL_EXTD_BOTH_DIRECTORY_INFO",
	FilePosix:                  "SMB2_FIND_POSIX_INFO",
}

// Level returns the name that c has as the level of a directory's listing.
func (c FileClass) Level() string { return cmp.Or(levels[c], "Unknown") }

// FsClass is a class of information about a file system. [MS-FSCC] 2.5
type FsClass uint8

const (
	FsVolume FsClass = 1 + iota
	FsLabel
	FsSize
	FsDevice
	FsAttribute
	FsControl
	FsFullSize
	FsObjectID
	FsDriverPath
	FsVolumeFlags
	FsSectorSize
	FsPosix FsClass = 100 // of the SMB3 POSIX extensions
)

var fsClasses = map[FsClass]string{
	FsVolume:      "FileFsVolumeInformation",
	FsLabel:       "FileFsLabelInformation",
	FsSize:        "FileFsSizeInformation",
	FsDevice:      "FileFsDeviceInformation",
	FsAttribute:   "FileFsAttributeInformation",
	FsControl:     "FileFsControlInformation",
	FsFullSize:    "FileFsFullSizeInformation",
	FsObjectID:    "FileFsObjectIdInformation",
	FsDriverPath:  "FileFsDriverPathInformation",
	FsVolumeFlags: "FileFsVolumeFlagsInformation",
	FsSectorSize:  "FileFsSectorSizeInformation",
	FsPosix:       "FileFsPosixInformation",
}

func (c FsClass) String() string { return cmp.Or(fsClasses[c], "Unknown") }
