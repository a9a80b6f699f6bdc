package captures

import (
	"bytes"
	"fmt"
	"strings"
	"unicode"
)

// Commands that turn a file into one that odxray reads; the first %s is the file,
// the second what it becomes.
const (
	byEditcap   = "editcap -F pcapng %s %s"
	byEtl2pcap  = "etl2pcapng %s %s"
	byText2pcap = "text2pcap %s %s"
)

// foreignFiles are captures and archives that are refused by name.
var foreignFiles = []struct {
	at            int
	magic         string
	what, command string
}{
	{0, "RTSS", "a Network Monitor 1 capture", byEditcap},
	{0, "GMBU", "a Network Monitor 2 capture", byEditcap},
	{0x48, "\x02\x00\x01\xc0", "a Windows event trace (ETL)", byEtl2pcap},
	{0x48, "\x02\x00\x02\xc0", "a Windows event trace (ETL)", byEtl2pcap},
	{0, "iptrace 1.0", "an AIX iptrace 1 capture", byEditcap},
	{0, "iptrace 2.0", "an AIX iptrace 2 capture", byEditcap},
	{0, "TRSNIFF data    \x1a", "a DOS Sniffer capture", byEditcap},
	{0, "XCP\x00", "a Sniffer (NetXRay) capture", byEditcap},
	{0, "VL\x00\x00", "a NetXRay 1 capture", byEditcap},
	{0, "\x01\x10\x4c\x00", "a LANalyzer capture", byEditcap},
	{0, "\x07\x10\x4c\x00", "a LANalyzer capture", byEditcap},
	{0, "\x00\x00\x02\x00\x12\x05\x00\x10", "a Tektronix K12 capture", byEditcap},
	{0, "+---------+---------------+----------+", "a Tektronix K12 text capture", byEditcap},
	{0, "btsnoop\x00", "a Bluetooth capture (btsnoop), which holds no SMB", byEditcap},
	{0, "\x05VNF", "a Visual Networks capture", byEditcap},
	{0, "\x7fver", "an OmniPeek capture", byEditcap},
	{0, "ObserverPktBufferVersion=", "a Network Instruments Observer capture", byEditcap},
	{0, "TR\x00\x64\x00", "an HP-UX nettl trace", byEditcap},
	{0, "\xac\x01\x00\x1c", "an Ixia capture", byEditcap},
	{0, "\xab\x01\x00\x1c", "an Ixia capture", byEditcap},
	{0, "\xaa\xaa\xaa\xaa", "an InfoVista 5View capture", byEditcap},
	{0, "BZh", "compressed with bzip2", "bzip2 -d %s"},
	{0, "\xfd7zXZ\x00", "compressed with xz", "xz -d %s"},
	{0, "\x04\x22\x4d\x18", "compressed with lz4", "lz4 -d %s"},
	{0, "PK\x03\x04", "a zip archive", "unzip %s"},
	{257, "ustar", "a tar archive", "tar -xf %s"},
	{0, "0000  ", "a hex dump", byText2pcap},
	{0, "000000 ", "a hex dump", byText2pcap},
}

// detectForeign names a file that is a capture, or holds one, but cannot be read.
func detectForeign(head []byte, name string) error {
	for _, f := range foreignFiles {
		if len(head) > f.at && bytes.HasPrefix(head[f.at:], []byte(f.magic)) {
			return foreign(f.what, f.command, name)
		}
	}
	return nil
}

// foreign refuses a file.
func foreign(what, command, name string) error {
	if name == stdinName {
		name = "FILE"
	}
	words := []any{quote(name), quote(name + ".pcapng")}[:strings.Count(command, "%s")]
	return &Error{Off: -1, Err: ErrForeign,
		What: fmt.Sprintf("is %s, which odxray does not read; convert it: %s", what, fmt.Sprintf(command, words...))}
}

// quote makes a file name one word of a shell, where it is not.
func quote(name string) string {
	const safe = "-_./+,:=@%"
	odd := func(c rune) bool {
		return !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c > unicode.MaxASCII || strings.ContainsRune(safe, c))
	}
	if name != "" && !strings.ContainsFunc(name, odd) {
		return name
	}
	return "'" + strings.ReplaceAll(name, "'", `'\''`) + "'"
}
