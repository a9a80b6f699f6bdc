package rpc

import (
	"encoding/hex"
	"slices"
	"strings"

	"github.com/odxray/odxray/dissect/wire"
)

// interfaces are those that are met on named pipes, and a few that share their ports:
// Wireshark's name, and the one of the specification or of the pipe.
var interfaces = [...]struct{ uuid, title, name string }{
	{"4b324fc8-1670-01d3-1278-5a47bf6ee188", "SRVSVC", "srvsvc"},
	{"12345778-1234-abcd-ef00-0123456789ac", "SAMR", "samr"},
	{"12345778-1234-abcd-ef00-0123456789ab", "LSARPC", "lsarpc"},
	{"12345678-1234-abcd-ef00-01234567cffb", "RPC_NETLOGON", "netlogon"},
	{"338cd001-2244-31f1-aaaa-900038001003", "WINREG", "winreg"},
	{"367abb81-9844-35f1-ad32-98f038001003", "SVCCTL", "svcctl"},
	{"12345678-1234-abcd-ef00-0123456789ab", "SPOOLSS", "spoolss"},
	{"76f03f96-cdfd-44fc-a22c-64950a001209", "IREMOTEWINSPOOL", "IRemoteWinspool"},
	{"6bffd098-a112-3610-9833-46c3f87e345a", "WKSSVC", "wkssvc"},
	{"e1af8308-5d1f-11c9-91a4-08002b14a0fa", "EPMv4", "epmapper"},
	{"ccd8c074-d0e5-4a40-92b4-d074faa6ba28", "WITNESS", "witness"},
	{"a8e0653c-2744-4389-a61d-7373df8b2292", "FSRVP", "FileServerVssAgent"},
	{"4fc742e0-4a10-11cf-8273-00aa004ae673", "NETDFS", "netdfs"},
	{"82273fdc-e32a-18c3-3f78-827929dc23ea", "EVENTLOG", "eventlog"},
	{"1ff70682-0a51-30e8-076d-740be8cee98b", "ATSVC", "atsvc"},
	{"86d35949-83c9-4044-b424-db363231fd0c", "TaskSchedulerService", "ITaskSchedulerService"},
	{"378e52b0-c0a9-11cf-822d-00aa0051e40f", "SASec", "SASec"},
	{"6bffd098-a112-3610-9833-012892020162", "RPC_BROWSER", "browser"},
	{"894de0c0-0d55-11d3-a322-00c04fa321a1", "INITSHUTDOWN", "InitShutdown"},
	{"3919286a-b10c-11d0-9ba8-00c04fd92ef5", "DSSETUP", "dssetup"},
	{"e3514235-4b06-11d1-ab04-00c04fc2dcd2", "DRSUAPI", "drsuapi"},
	{"afa8bd80-7d8a-11c9-bef4-08002b102989", "MGMT", "mgmt"},
	{"17fdd703-1827-4e34-79d4-24a55c53bb37", "msgsvc", "msgsvc"},
	{"5a7b91f8-ff00-11d0-a9b2-00c04fb6e6fc", "Messenger", "msgsvcsend"},
	{"c681d488-d850-11d0-8c52-00c04fd90f7e", "EFS", "efsrpc"},
	{"df1941c5-fe89-4e79-bf10-463657acf44d", "efsr", "efsr"},
	{"8d9f4e40-a03d-11ce-8f69-08003e30051b", "PNP", "ntsvcs"},
	{"300f3532-38cc-11d0-a3f0-0020af6b0add", "trkwks", "trkwks"},
	{"2f5f6520-ca46-1067-b319-00dd010662da", "TAPI", "tapsrv"},
	{"f5cc59b4-4264-101a-8c59-08002b2f8426", "FRSRPC", "frsrpc"},
	{"d049b186-814f-11d1-9a3c-00c04fc9b232", "FRSAPI", "frsapi"},
	{"897e2e5f-93f3-4376-9c9c-fd2277495c27", "FRSTRANS", "frstrans"},
	{"50abc2a4-574d-40b3-9d66-ee4fd5fba076", "DNSSERVER", "dnsserver"},
	{"8f09f000-b7ed-11ce-bbd2-00001a181cad", "RRAS", "rras"},
	{"8fb6d884-2388-11d0-8c35-00c04fda2795", "w32time", "w32time"},
	{"93149ca2-973b-11d1-8c39-00c04fb984f9", "scerpc", "scerpc"},
	{"9c54e310-a955-4885-bd31-78787147dfa6", "unixinfo", "unixinfo"},
	{"3dde7c30-165d-11d1-ab8f-00805f14db40", "backupkey", "backupkey"},
	{"da5a86c5-12c2-4943-ab30-7f74a813d853", "perflib", "perflib"},
	{"342cfd40-3c6c-11ce-a893-08002b2e9c6d", "llsrpc", "llsrpc"},
	{"f5cc5a18-4264-101a-8c59-08002b2f8426", "NSPI", "nspi"},
	{"99fcfec4-5260-101b-bbcb-00aa0021347a", "IOXIDResolver", "IObjectExporter"},
	{"000001a0-0000-0000-c000-000000000046", "ISystemActivator", "ISystemActivator"},
	{"00000143-0000-0000-c000-000000000046", "IRemUnknown2", "IRemUnknown2"},
	{"885d85fb-c754-4062-a0e7-6872ce0064f4", "MDSSVC", "mdssvc"},
	{"f6beaff7-1e19-4fbb-9f8f-b89e2018337c", "IEventService", "eventlog6"},
}

// syntaxes are what arguments may be encoded in.
var syntaxes = [...]struct{ uuid, title string }{
	{"8a885d04-1ceb-11c9-9fe8-08002b104860", "32bit NDR"},
	{"71710533-beba-4937-8319-b5dbef9ccc36", "64bit NDR"},
}

// The tables' identifiers as they lie on the wire, and where to find them.
var (
	interfaceOf = index(len(interfaces), func(i int) string { return interfaces[i].uuid })
	syntaxOf    = index(len(syntaxes), func(i int) string { return syntaxes[i].uuid })
)

// index maps identifiers to their places in a table, counted from 1.
func index(n int, text func(i int) string) map[wire.GUID]int {
	m := make(map[wire.GUID]int, n)
	for i := range n {
		m[parse(text(i))] = i + 1
	}
	return m
}

// parse turns the text of a UUID, which must be one, into its little-endian form.
func parse(text string) (g wire.GUID) {
	b, err := hex.DecodeString(strings.ReplaceAll(text, "-", ""))
	if err != nil {
		panic(err)
	}
	copy(g[:], b)
	swap(&g)
	return g
}

// swap turns a little-endian UUID into a big-endian one, or back.
func swap(g *wire.GUID) {
	slices.Reverse(g[:4])
	slices.Reverse(g[4:6])
	slices.Reverse(g[6:8])
}

// InterfaceName returns the short name of a well-known interface, such as "srvsvc",
// or "".
func InterfaceName(uuid wire.GUID) string {
	if i := interfaceOf[uuid]; i > 0 {
		return interfaces[i-1].name
	}
	return ""
}

// appendInterface appends what Wireshark calls an interface: a name or the UUID.
func appendInterface(b []byte, uuid wire.GUID) []byte {
	if i := interfaceOf[uuid]; i > 0 {
		return append(b, interfaces[i-1].title...)
	}
	return uuid.AppendTo(b)
}

// appendSyntax appends the name of an encoding, or its UUID.
func appendSyntax(b []byte, uuid wire.GUID) []byte {
	if i := syntaxOf[uuid]; i > 0 {
		return append(b, syntaxes[i-1].title...)
	}
	return uuid.AppendTo(b)
}
