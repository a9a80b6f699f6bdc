package rpc

import "cmp"

// PacketType is the type of a PDU. [C706] 12.6.4.1
type PacketType uint8

const (
	Request          PacketType = 0
	Response         PacketType = 2
	Fault            PacketType = 3
	Bind             PacketType = 11
	BindAck          PacketType = 12
	BindNak          PacketType = 13
	AlterContext     PacketType = 14
	AlterContextResp PacketType = 15
	Auth3            PacketType = 16
	Shutdown         PacketType = 17
	CoCancel         PacketType = 18
	Orphaned         PacketType = 19
)

var packetTypes = [...]string{
	"Request",
	"Ping",
	"Response",
	"Fault",
	"Working",
	"Nocall",
	"Reject",
	"Ack",
	"Cl_cancel",
	"Fack",
	"Cancel_ack",
	"Bind",
	"Bind_ack",
	"Bind_nak",
	"Alter_context",
	"Alter_context_resp",
	"AUTH3",
	"Shutdown",
	"Co_cancel",
	"Orphaned",
}

func (t PacketType) String() string {
	if int(t) < len(packetTypes) {
		return packetTypes[t]
	}
	return "Unknown"
}

// Status says why a call failed: codes of [C706] Appendix N and E, and others that
// servers send. [MS-RPCE] 2.2.2.8
type Status uint32

var statuses = map[Status]string{
	0x00000000: "Stub-defined exception",
	0x00000001: "nca_s_fault_other",
	0x00000005: "nca_s_fault_access_denied",
	0x000006d8: "nca_s_fault_cant_perform",
	0x000006f7: "nca_s_fault_ndr",
	0x00000721: "nca_s_fault_sec_pkg_error",
	0x1c000001: "nca_s_fault_int_div_by_zero",
	0x1c000002: "nca_s_fault_addr_error",
	0x1c000003: "nca_s_fault_fp_div_zero",
	0x1c000004: "nca_s_fault_fp_underflow",
	0x1c000005: "nca_s_fault_fp_overflow",
	0x1c000006: "nca_s_fault_invalid_tag",
	0x1c000007: "nca_s_fault_invalid_bound",
	0x1c000008: "nca_rpc_version_mismatch",
	0x1c000009: "nca_unspec_reject",
	0x1c00000a: "nca_s_bad_actid",
	0x1c00000b: "nca_who_are_you_failed",
	0x1c00000c: "nca_manager_not_entered",
	0x1c00000d: "nca_s_fault_cancel",
	0x1c00000e: "nca_s_fault_ill_inst",
	0x1c00000f: "nca_s_fault_fp_error",
	0x1c000010: "nca_s_fault_int_overflow",
	0x1c000014: "nca_s_fault_pipe_empty",
	0x1c000015: "nca_s_fault_pipe_closed",
	0x1c000016: "nca_s_fault_pipe_order",
	0x1c000017: "nca_s_fault_pipe_discipline",
	0x1c000018: "nca_s_fault_pipe_comm_error",
	0x1c000019: "nca_s_fault_pipe_memory",
	0x1c00001a: "nca_s_fault_context_mismatch",
	0x1c00001b: "nca_s_fault_remote_no_memory",
	0x1c00001c: "nca_invalid_pres_context_id",
	0x1c00001d: "nca_unsupported_authn_level",
	0x1c00001f: "nca_invalid_checksum",
	0x1c000020: "nca_invalid_crc",
	0x1c000021: "ncs_s_fault_user_defined",
	0x1c000022: "nca_s_fault_tx_open_failed",
	0x1c000023: "nca_s_fault_codeset_conv_error",
	0x1c000024: "nca_s_fault_object_not_found",
	0x1c000025: "nca_s_fault_no_client_stub",
	0x1c010002: "nca_op_rng_error",
	0x1c010003: "nca_unk_if",
	0x1c010006: "nca_wrong_boot_time",
	0x1c010009: "nca_s_you_crashed",
	0x1c01000b: "nca_proto_error",
	0x1c010013: "nca_out_args_too_big",
	0x1c010014: "nca_server_too_busy",
	0x1c010017: "nca_unsupported_type",
	0x80004001: "E_NOTIMPL",
	0x80004003: "E_POINTER",
	0x80004004: "E_ABORT",
	0x8000ffff: "E_UNEXPECTED",
	0x80010105: "RPC_E_SERVERFAULT",
	0x80010108: "RPC_E_DISCONNECTED",
	0x80010113: "RPC_E_INVALID_IPID",
	0x8001011f: "RPC_E_TIMEOUT",
	0x80020003: "DISP_E_MEMBERNOTFOUND",
	0x80020006: "DISP_E_UNKNOWNNAME",
	0x8002000e: "DISP_E_BADPARAMCOUNT",
	0x8007000e: "E_OUTOFMEMORY",
	0x80070057: "E_INVALIDARG",
	0x800706d1: "RPC_S_PROCNUM_OUT_OF_RANGE",
	0x80070776: "OR_INVALID_OXID",
}

func (s Status) String() string { return cmp.Or(statuses[s], "Unknown") }

// Result is a server's answer to an offered context. [C706] 12.6.3.1
type Result uint16

const (
	Acceptance        Result = 0
	UserRejection     Result = 1
	ProviderRejection Result = 2
	NegotiateAck      Result = 3 // of [MS-RPCE] 3.3.1.5.3: features, not an interface
)

var results = [...]string{"Acceptance", "User rejection", "Provider rejection", "Negotiate ACK"}

func (r Result) String() string {
	if int(r) < len(results) {
		return results[r]
	}
	return "Unknown"
}

// Reason says why an offered context was not taken. [C706] 12.6.3.1
type Reason uint16

var reasons = [...]string{
	"Reason not specified",
	"Abstract syntax not supported",
	"Proposed transfer syntaxes not supported",
	"Local limit exceeded",
}

func (r Reason) String() string {
	if int(r) < len(reasons) {
		return reasons[r]
	}
	return "Unknown"
}

// RejectReason says why a Bind was refused. [C706] 12.6.3.1
type RejectReason uint16

var rejectReasons = [...]string{
	"Reason not specified",
	"Temporary congestion",
	"Local limit exceeded",
	"Called paddr unknown",
	"Protocol version not supported",
	"Default context not supported",
	"User data not readable",
	"No PSAP available",
	"Authentication type not recognized",
	"Invalid checksum",
}

func (r RejectReason) String() string {
	if int(r) < len(rejectReasons) {
		return rejectReasons[r]
	}
	return "Unknown"
}

// AuthType is a security provider. [MS-RPCE] 2.2.1.1.7
type AuthType uint8

const (
	AuthSPNEGO   AuthType = 9
	AuthNTLM     AuthType = 10
	AuthKerberos AuthType = 16
	AuthNetlogon AuthType = 68
)

var authTypes = map[AuthType]string{
	0:   "None",
	1:   "Kerberos 5",
	9:   "SPNEGO",
	10:  "NTLMSSP",
	14:  "SCHANNEL SSP",
	16:  "Kerberos SSP",
	17:  "Distributed Password Authentication SSP",
	18:  "MSN SSP",
	21:  "Digest SSP",
	68:  "NETLOGON Secure Channel",
	100: "MSMQ SSP",
}

func (t AuthType) String() string { return cmp.Or(authTypes[t], "Unknown") }

// AuthLevel is how a provider protects PDUs. [MS-RPCE] 2.2.1.1.8
type AuthLevel uint8

const (
	Integrity AuthLevel = 5
	Privacy   AuthLevel = 6
)

var authLevels = [...]string{"Unknown", "None", "Connect", "Call", "Packet", "Packet integrity", "Packet privacy"}

func (l AuthLevel) String() string {
	if int(l) < len(authLevels) {
		return authLevels[l]
	}
	return "Unknown"
}
