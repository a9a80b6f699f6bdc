package audit

import (
	"bytes"
	"encoding/binary"
	"testing"
)

// Where things lie in a frame of RoCEv2 over IPv4 that holds one message of SMB Direct.
// [IBTA] 9.2, A17; [MS-SMBD] 2.2
const (
	opcode, psn                                         = 42, 51 // of the base transport header
	virtualAt, remoteKey, rdmaLen                       = 54, 62, 66
	askedCredits, grantedCredits, flagsAt               = 54, 56, 58 // of a data transfer
	remaining, dataOffset, dataLength                   = 62, 66, 70
	requestCredits, requestReceive, requestFragmented   = 60, 66, 70 // of the negotiate request
	responseCredits, responseGranted, responseReadWrite = 62, 64, 70 // of the negotiate response
	responseSend                                        = 74
)

// TestPlantedRDMA plants faults in a session of cifs.ko and ksmbd over RoCEv2. A WRITE in
// frame 127 is fetched by an RDMA Read in 129 and 130 and answered in 131; a READ in 603 is
// served by an RDMA Write in 605 and answered in 607.
func TestPlantedRDMA(t *testing.T) {
	exchange := func(m *tape, a, b int) { // in the capture
		i, j := m.at(a), m.at(b)
		m.packets[i], m.packets[j] = m.packets[j], m.packets[i]
	}
	plant(t, "rocev2-311-mtu4096", []planted{
		{"no credits asked for", func(m *tape) { put16(m.bytes(24), requestCredits, 0) }, "+error smbd/negotiate"},
		{"messages too small", func(m *tape) { put32(m.bytes(24), requestFragmented, 131071) }, "+error smbd/negotiate"},
		{"messages just large enough", func(m *tape) { put32(m.bytes(24), requestFragmented, 131072) }, ""},
		{"the server sends too much at once", func(m *tape) { put32(m.bytes(26), responseSend, 1365) }, "+error smbd/negotiate"},
		{"the client takes less than it is sent", func(m *tape) { put32(m.bytes(24), requestReceive, 300) }, "+error smbd/negotiate, +error smbd/fragment 212"},

		{"a message that asks for no credits", func(m *tape) { put16(m.bytes(29), askedCredits, 0) }, "+error smbd/header"},
		{"data at an odd place", func(m *tape) { put32(m.bytes(117), dataOffset, 23) }, "+error smbd/header"},
		{"no data at an odd place", func(m *tape) { put32(m.bytes(28), dataOffset, 23) }, ""},
		{"more data than there is", func(m *tape) { put32(m.bytes(121), dataLength, 200) }, "+error smbd/header"},
		{"a fragment that leaves too much", func(m *tape) { b := m.bytes(101); put32(b, remaining, binary.LittleEndian.Uint32(b[remaining:])+8) }, "+error smbd/fragment 2"},
		{"a message larger than agreed", func(m *tape) { put32(m.bytes(100), remaining, 200000) }, "+error smbd/fragment 2"},

		{"31 credits less", func(m *tape) { put16(m.bytes(26), responseGranted, 254-31) }, "+error smbd/credit-overrun, +warning smbd/last-credit"},
		{"30 credits less", func(m *tape) { put16(m.bytes(26), responseGranted, 254-30) }, "+warning smbd/last-credit"},
		{"29 credits less", func(m *tape) { put16(m.bytes(26), responseGranted, 254-29) }, ""},
		{"the keep-alive flag, answered", func(m *tape) { put16(m.bytes(54), flagsAt, 1) }, ""},

		{"a read beyond the buffer", func(m *tape) {
			b := m.bytes(129)
			binary.BigEndian.PutUint64(b[virtualAt:], binary.BigEndian.Uint64(b[virtualAt:])+512)
		},
			"+error rdma/out-of-bounds, +error rdma/short"},
		{"a read with another key", func(m *tape) { m.bytes(129)[remoteKey+3] ^= 0x40 }, "+error rdma/out-of-bounds, +error rdma/short"},
		{"a write beyond the buffer", func(m *tape) {
			b := m.bytes(605)
			binary.BigEndian.PutUint64(b[virtualAt:], binary.BigEndian.Uint64(b[virtualAt:])+512)
		},
			"+error rdma/out-of-bounds, +error rdma/short"},
		{"a write with the key of the request before", func(m *tape) { m.bytes(605)[remoteKey+3]-- }, "+error rdma/after-invalidate, +error rdma/short"},
		{"a client that reads", func(m *tape) {
			send, b := m.bytes(133), bytes.Clone(m.bytes(129))
			copy(b[:12], send)
			copy(b[26:34], send[26:34])
			copy(b[opcode+1:], send[opcode+1:54])
			m.packets[m.at(133)].Data, m.packets[m.at(133)].WireLen = b, len(b)
		}, "+error rdma/wrong-direction"},
		{"a server that takes 64 KiB at most", func(m *tape) { put32(m.bytes(26), responseReadWrite, 65536) }, "+error rdma/too-long 4"},
		{"a server that takes 1 MiB at most", func(m *tape) { put32(m.bytes(26), responseReadWrite, 1<<20) }, ""},
		{"data after the answer", func(m *tape) {
			exchange(m, 605, 607)
			a, b := m.bytes(605), m.bytes(607)
			x := [3]byte(a[psn:])
			copy(a[psn:], b[psn:psn+3])
			copy(b[psn:], x[:])
		}, "+error rdma/after-invalidate, +error rdma/short"},
		{"data captured after the answer", func(m *tape) { exchange(m, 605, 607) }, ""},
		{"more said than moved", func(m *tape) { put32(m.message(607, 8), 72, 4097) }, "+error rdma/short"},
		{"less said than moved", func(m *tape) { put32(m.message(607, 8), 72, 4000) }, ""},
		{"more said than fetched", func(m *tape) { put32(m.message(131, 9), 68, 4097) }, "+error rdma/short"},
		{"a packet twice", func(m *tape) { m.again(121, 121) }, "+note rdma/retransmit"},
		{"a damaged packet", func(m *tape) { b := m.bytes(121); b[len(b)-1] ^= 1; m.spoilt = 121 }, "+warning rdma/bad-icrc"},
		{"a packet of a Read's data lost", func(m *tape) { m.lose(147) }, "+note capture/gap, +note rdma/short?"},
		{"the last packet of a Read's data lost", func(m *tape) { m.lose(160) }, "+note rdma/short?"},
		{"all of a Read's data lost", func(m *tape) { m.lose(130) }, "+note rdma/short?"},
		{"an answer lost", func(m *tape) { m.lose(607) }, "+note capture/gap"},
		{"an RDMA Write lost", func(m *tape) { m.lose(605) }, "+note capture/gap, +note rdma/short?"},
		{"a request lost", func(m *tape) { m.lose(603) }, "+note capture/gap, +note rdma/out-of-bounds?"},
		{"a late start", func(m *tape) { m.from(604) }, ""},
	})
}

// TestPlantedCompound plants faults in the compounds of CREATE, IOCTL and CLOSE by which
// cifs.ko copies src1m to dst3 in frames 1190 to 1213, and in a copychunk and a clone.
func TestPlantedCompound(t *testing.T) {
	const broken = ", +error copy/gap, +warning copy/abandoned, +note token/part-used"
	for _, name := range []string{"odx-tcp-311"} {
		plant(t, name, []planted{
			{"the second use refused", func(m *tape) { m.refuse(1195, ioctl, invalidToken) }, "+warning token/one-shot, +warning token/refused" + broken},
			{"a write of nothing", func(m *tape) { put64(m.answer(1195), written_, 0) },
				"+warning odx/write-empty, +error copy/gap, +warning copy/wrong-resume, +warning token/part-used"},
			{"a write too long", func(m *tape) { put64(m.answer(1193), written_, 128*kib+4096) }, "+error odx/write-too-long, +note token/reused, +warning copy/overlap"},
			{"a sector of 512 in one of 4096", func(m *tape) { put64(m.answer(1195), written_, 128*kib-512) },
				"+error odx/result-unaligned, +error copy/gap, +warning copy/wrong-resume, +warning token/part-used"},
			{"a token altered", func(m *tape) { m.request(1194)[presented+300] ^= 1; m.refuse(1195, ioctl, invalidLevel) },
				"+error token/altered, +error copy/gap, +warning copy/abandoned, +warning token/part-used"},
			{"a compound sent twice", func(m *tape) { m.again(1194, 1194) }, "+note smb/replayed"},
			{"a compound lost", func(m *tape) { m.lose(1194) }, "+note capture/gap, +note copy/gap?, +note token/part-used?"},
			{"a compound never sent", func(m *tape) { m.unsay(1194, 1195) }, "+error copy/gap, +warning token/part-used"},
			{"a compound whose CREATE failed", func(m *tape) {
				for _, command := range []uint16{5, ioctl, 6} {
					m.refuse(1195, command, nameNotFound)
				}
			}, broken[2:]},
			{"copychunk: less than asked", func(m *tape) { put32(m.answer(8492), 8, 1<<20-4096) }, "+warning chunk/short"},
			{"copychunk: its limits", func(m *tape) { put32(m.message(8492, ioctl), 8, invalidParameter) }, "+note chunk/limits, +warning copy/abandoned"},
			{"copychunk: refused without limits", func(m *tape) { m.refuse(8492, ioctl, invalidParameter) }, "+warning copy/abandoned"},
			{"copychunk: a key nobody gave", func(m *tape) { m.request(8491)[3] ^= 1; m.refuse(8492, ioctl, nameNotFound) }, "+error chunk/key-unknown"},
			{"copychunk: a key nobody gave, taken", func(m *tape) { m.request(8491)[3] ^= 1 }, "+note chunk/key-unknown?"},
			{"copychunk: the key lost", func(m *tape) { m.lose(8490); m.refuse(8492, ioctl, nameNotFound) }, "+note capture/gap, +note chunk/key-unknown?"},
			{"copychunk: a known key refused", func(m *tape) { m.refuse(8492, ioctl, nameNotFound) }, "+warning copy/abandoned"},
			{"clone: within a cluster", func(m *tape) { put64(m.request(8505), 16, 100) }, "+warning clone/unaligned"},
			{"clone: a length within a cluster", func(m *tape) { put64(m.request(8505), 32, 1<<20-100) }, "+warning clone/unaligned, +warning copy/abandoned"},
			{"an offload refused before a copychunk", func(m *tape) { f := m.say(8490, 1099, 1100); m.refuse(f[1], ioctl, notSupported) }, "+warning copy/fell-back"},
		})
	}
}

// TestPlantedServer has a token presented to another server than the one that minted it.
func TestPlantedServer(t *testing.T) {
	plant(t, "odx-multi-30", []planted{
		{"the same at another server", func(m *tape) { m.mirror() }, "+warning odx/read-empty 2, +note odx/token-format"},
		{"a token minted elsewhere", func(m *tape) { m.mirror(7104, 7105) }, "+warning odx/read-empty 2, +note odx/token-format, +note token/other-server 4, +note token/reused"},
		{"a token minted elsewhere, refused", func(m *tape) { m.mirror(7104, 7105); m.refuse(mirrored+7107, ioctl, invalidToken) },
			"+warning odx/read-empty 2, +note odx/token-format, +note token/other-server 4, +note token/reused, +note token/refused?, +error copy/gap, +warning copy/abandoned"},
	})
}

// TestPlantedKeepAlive asks for answers in messages of a client that is idle: it sends one
// every 5 s, and the server sends nothing.
func TestPlantedKeepAlive(t *testing.T) {
	plant(t, "rocev2-311-keepalive", []planted{
		{"asked of a server that is silent", func(m *tape) { put16(m.bytes(5603), flagsAt, 1) }, "+warning smbd/keepalive-unanswered"},
		{"asked of a server that answers something else", func(m *tape) { put16(m.bytes(5716), flagsAt, 1) }, ""},
		{"asked at the end", func(m *tape) { put16(m.bytes(5730), flagsAt, 1) }, ""},
		{"asked 4 s before the capture ends", func(m *tape) { put16(m.bytes(5603), flagsAt, 1); m.until(5604) }, ""},
	})
}
