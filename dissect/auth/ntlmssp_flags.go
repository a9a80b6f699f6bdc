package auth

// NTLMFlags are what the sides of an NTLM handshake can do, or agree to. [MS-NLMP] 2.2.2.5
type NTLMFlags uint32

const (
	NegotiateUnicode    NTLMFlags = 1 << 0
	NegotiateOEM        NTLMFlags = 1 << 1
	NegotiateSign       NTLMFlags = 1 << 4
	NegotiateSeal       NTLMFlags = 1 << 5
	NegotiateAnonymous  NTLMFlags = 1 << 11
	NegotiateExtended   NTLMFlags = 1 << 19 // extended session security
	NegotiateTargetInfo NTLMFlags = 1 << 23
	NegotiateVersion    NTLMFlags = 1 << 25
	Negotiate128        NTLMFlags = 1 << 29
	NegotiateKeyExch    NTLMFlags = 1 << 30
)

// fNTLMFlags has its bits in the order in which tshark shows them, the highest first.
var fNTLMFlags = ntlm.Hex("ntlmssp.negotiateflags", "Negotiate Flags").List(
	ntlmFlag(31, "negotiate56", "Negotiate 56"),
	ntlmFlag(30, "negotiatekeyexch", "Negotiate Key Exchange"),
	ntlmFlag(29, "negotiate128", "Negotiate 128"),
	ntlmFlag(28, "negotiatent10000000", "Negotiate 0x10000000"),
	ntlmFlag(27, "negotiatent08000000", "Negotiate 0x08000000"),
	ntlmFlag(26, "negotiatent04000000", "Negotiate 0x04000000"),
	ntlmFlag(25, "negotiateversion", "Negotiate Version"),
	ntlmFlag(24, "negotiatent01000000", "Negotiate 0x01000000"),
	ntlmFlag(23, "negotiatetargetinfo", "Negotiate Target Info"),
	ntlmFlag(22, "requestnonntsession", "Request Non-NT Session"),
	ntlmFlag(21, "negotiatent00200000", "Negotiate 0x00200000"),
	ntlmFlag(20, "negotiateidentify", "Negotiate Identify"),
	ntlmFlag(19, "negotiatentlm2", "Negotiate Extended Security"),
	ntlmFlag(18, "targettypeshare", "Target Type Share"),
	ntlmFlag(17, "targettypeserver", "Target Type Server"),
	ntlmFlag(16, "targettypedomain", "Target Type Domain"),
	ntlmFlag(15, "negotiatealwayssign", "Negotiate Always Sign"),
	ntlmFlag(14, "negotiate00004000", "Negotiate 0x00004000"),
	ntlmFlag(13, "negotiateoemworkstationsupplied", "Negotiate OEM Workstation Supplied"),
	ntlmFlag(12, "negotiateoemdomainsupplied", "Negotiate OEM Domain Supplied"),
	ntlmFlag(11, "negotiateanonymous", "Negotiate Anonymous"),
	ntlmFlag(10, "negotiatentonly", "Negotiate NT Only"),
	ntlmFlag(9, "negotiatentlm", "Negotiate NTLM key"),
	ntlmFlag(8, "negotiate00000100", "Negotiate 0x00000100"),
	ntlmFlag(7, "negotiatelmkey", "Negotiate Lan Manager Key"),
	ntlmFlag(6, "negotiatedatagram", "Negotiate Datagram"),
	ntlmFlag(5, "negotiateseal", "Negotiate Seal"),
	ntlmFlag(4, "negotiatesign", "Negotiate Sign"),
	ntlmFlag(3, "negotiate00000008", "Request 0x00000008"),
	ntlmFlag(2, "requesttarget", "Request Target"),
	ntlmFlag(1, "negotiateoem", "Negotiate OEM"),
	ntlmFlag(0, "negotiateunicode", "Negotiate UNICODE"),
)
