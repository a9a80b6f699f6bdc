package replay

// What a field's two values have to do with each other.

import (
	"strings"

	"github.com/odxray/odxray/dissect/fscc"
	"github.com/odxray/odxray/dissect/ntstatus"
	"github.com/odxray/odxray/dissect/smb2"
)

// policy is how a field is compared.
type policy uint8

const (
	equal        policy = iota
	ignore              // differs from run to run, or from server to server, and means nothing
	roughly             // sizes that file systems round as they like: surroundings where they are far apart
	surroundings        // what a server or its file system is like: said once for the run
	lastWord            // a stub, of which only the status at its end is known
	own                 // compared otherwise: data, listings
	below               // a name that the target has below its prefix
)

// always are the fields that no level compares: ids, the framing of the message, what the
// two runs cannot have in common.
var always = words(`
	smb2.protocol_id smb2.header_len smb2.credit.charge smb2.credits.granted smb2.flags smb2.chain_offset smb2.msg_id smb2.pid
	smb2.tid smb2.aid smb2.sesid smb2.signature smb2.reserved smb2.nt_status smb2.cmd smb2.channel_sequence
	smb2.olb.offset smb2.data_offset smb2.fid smb2.fsctl.cchunk.resume_key odx.token odx.token.kind odx.token.native odx.token.native.eof
	odx.token.native.fid odx.token.native.tid odx.token.rest smb2.fsctl.odx.token.id smb2.fsctl.odx.token.idlen smb2.fsctl.odx.token.type
	smb2.lease.lease_key smb2.lease.parent_lease_key smb2.dh2x.create_guid smb2.app_instance.app_guid smb2.server_guid smb2.client_guid
	smb2.boot_time smb2.current_time copy.resume_key.context smb2.buffer_code smb2.buffer_code.length smb2.buffer_code.dynamic
	smb2.ioctl.enumerate_snapshots.snapshot smb2.create.chain_offset smb2.alignment dcerpc.cn_assoc_group dcerpc.cn_call_id dcerpc.cn_ctx_id`)

// loose are the fields that only the level exact compares.
var loose = words(`
	smb2.create.time smb2.last_access.time smb2.last_write.time smb2.last_change.time smb.create.time smb.access.time smb.last_write.time
	smb.change.time smb2.mxac_timestamp smb2.file_id smb.index_number smb2.file_index smb2.inode smb2.qfid_fid smb2.qfid_volume
	smb.volume.serial smb.volume.label smb.volume.label.len smb.free_alloc_units smb.actual_free_alloc_units smb.caller_free_alloc_units
	smb2.lease.epoch smb2.dh2x.timeout smb2.dhnq_buffer_reserved smb2.dh2x.reserved smb2.file_offset smb2.next_offset smb.next_entry_offset
	smb2.shortname smb2.short_name_len smb2.birth_object_id smb2.birth_volume_id smb2.domain_id smb2.object_id
	smb2.ioctl.network_interfaces.index smb2.ioctl.network_interfaces.link_speed smb2.ioctl.network_interfaces.next_offset
	DiskFileId VolumeId
	smb2.error.byte_count smb2.error.data smb2.error.reserved smb2.error.context_count smb2.impersonation.level
	smb2.notify.next_offset smb.dfs.referral.ttl smb.dfs.referral.server_guid smb.dfs.path_consumed smb.dfs.referral.path_offset smb.dfs.referral.alt_path_offset smb.dfs.referral.node_offset smb2.filename.len smb2.file_name_len smb2.olb.length smb2.padding odx.info.file_id_128
	dcerpc.cn_frag_len dcerpc.cn_alloc_hint smb.file
	nt.ace.size nt.acl.size nt.offset_to_dacl nt.offset_to_sacl nt.offset_to_owner_sid nt.offset_to_group_sid`)

// ofServer are the fields that say what a server or its file system is like.
var ofServer = words(`smb.fs_attr smb.fs_name smb.fs_name.len smb.fs_max_name_len smb.fs_bytes_per_sector smb.fs_sector_per_unit
	smb.dfs.referral.path smb.dfs.referral.alt_path smb.dfs.referral.node smb2.share_flags smb2.share_caps smb2.max_access smb.device.type smb2.capabilities smb2.max_trans_size smb2.max_read_size smb2.max_write_size`)

// offloadFields are how much a server does of an offload call at once.
var offloadFields = words(`smb2.fsctl.odx.xfer_length smb2.fsctl.odx.flags odx.all_zero_beyond`)

// tolerated are sizes that file systems round as they like.
var tolerated = words(`smb2.allocation_size smb.alloc_size64 odx.info.allocation_size odx.info.posix.blocks`)

func words(s string) map[string]bool {
	m := make(map[string]bool)
	for _, w := range strings.Fields(s) {
		m[w] = true
	}
	return m
}

// policyOf returns how a field of the answer to a step is compared.
func policyOf(name string, s *Step, o *Options) policy {
	level := o.Level
	command := s.Header.Command
	const fileSystem = 2
	ofFileSystem := command == smb2.QueryInfo && s.Exchange.InfoType == fileSystem
	switch {
	case always[name], name == "Padding":
		return ignore
	case name == "smb2.read_data" || name == "smb2.data" && command == smb2.Read:
		return own
	case name == "smb2.filename" && command == smb2.QueryInfo:
		return below
	case ofRPCAuth(name) && (command == smb2.Ioctl || command == smb2.Read):
		return ignore
	case level == Exact:
		return equal
	case loose[name], tolerated[name] && ofFileSystem: // how large the disk is
		return ignore
	case name == "smb.access_mask" && command == smb2.TreeConnect: // what the user may do at most
		return surroundings
	case name == "dcerpc.stub_data":
		return lastWord
	case offloadFields[name] && s.Exchange.Function == fscc.OffloadWrite:
		return own // what counts is what was copied in all
	case offloadFields[name]:
		return surroundings
	case ofServer[name], strings.HasPrefix(name, "odx.info.sector."):
		return surroundings
	case tolerated[name]:
		return roughly
	case strings.HasPrefix(name, "smb2.ioctl.network_interfaces."), strings.HasPrefix(name, "smb2.windows.sockaddr."), name == "Rest of the address":
		return ignore
	case strings.HasPrefix(name, "nt.sid"), strings.HasPrefix(name, "nt.ace.sid"):
		return ignore
	}
	return equal
}

// statusClass is the sort of a status for the level class.
func statusClass(s smb2.Status) string {
	for _, c := range statusClasses {
		for _, of := range c.statuses {
			if of == s {
				return c.name
			}
		}
	}
	return s.String()
}

var statusClasses = []struct {
	name     string
	statuses []smb2.Status
}{
	{"ok", []smb2.Status{ntstatus.Success}},
	{"more", []smb2.Status{ntstatus.BufferOverflow, ntstatus.MoreProcessingRequired, 0x80000006, 0x8000001a}}, // NO_MORE_FILES, NO_MORE_ENTRIES
	{"not there", []smb2.Status{0xc0000034, 0xc000003a, 0xc000000f, 0xc0000225}},                              // OBJECT_NAME_NOT_FOUND, OBJECT_PATH_NOT_FOUND, NO_SUCH_FILE, NOT_FOUND
	{"not supported", []smb2.Status{0xc0000010, 0xc00000bb, 0xc0000002, 0xc000019c, 0xc000a2a1, 0xc000a2a2, 0xc000a2a3, 0xc000a2a4}},
	{"denied", []smb2.Status{0xc0000022, 0xc0000061}}, // ACCESS_DENIED, PRIVILEGE_NOT_HELD
	{"range", []smb2.Status{0xc000001f, 0xc0000011}},  // INVALID_VIEW_SIZE, END_OF_FILE
	{"lock", []smb2.Status{0xc0000054, 0xc0000055}},   // FILE_LOCK_CONFLICT, LOCK_NOT_GRANTED
	{"space", []smb2.Status{0xc000007f, 0xc0000044}},  // DISK_FULL, QUOTA_EXCEEDED
}

// resources are the statuses that even liveness does not take for an answer.
var resources = map[smb2.Status]bool{0xc00000e5: true, 0xc000009a: true, 0xc0000205: true} // INTERNAL_ERROR, INSUFFICIENT_RESOURCES, INSUFF_SERVER_RESOURCES

// ownFault are the statuses that say that the replay went wrong before: the session, tree
// or file is not there.
var ownFault = map[smb2.Status]bool{
	0xc0000203: true, // USER_SESSION_DELETED
	0xc00000c9: true, // NETWORK_NAME_DELETED
	0xc0000128: true, // FILE_CLOSED
	0xc000035c: true, // NETWORK_SESSION_EXPIRED
}
