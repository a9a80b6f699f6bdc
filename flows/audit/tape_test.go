package audit

// Real captures with faults planted in them. Frames keep the numbers that they have in the
// capture, whatever is put in or taken out before them.

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/odxray/odxray/captures"
	"github.com/odxray/odxray/flows"
	"github.com/odxray/odxray/flows/flowtest"
)

// tape is the packets of a capture that a test changes.
type tape struct {
	testing.TB
	packets []captures.Packet
	made    int // packets made so far: they are numbered from -1 down
	said    int // calls of say
	keys    *flows.Keys
	spoilt  int // a frame whose checksum is to stay as it is
}

var reels sync.Map // what was read from disk, by name

// load reads one of the lab's captures.
func load(t testing.TB, name string) *tape {
	t.Helper()
	dir := filepath.Join(cmp.Or(os.Getenv("ODXRAY_CAPTURES"), filepath.Join("..", "..", "..", "shared", "captures")), "own")
	path := filepath.Join(dir, name+".pcap")
	if _, err := os.Stat(path); err != nil {
		path += ".zst"
	}
	if _, err := os.Stat(path); err != nil {
		t.Skip("no captures: ", err)
	}
	reel, ok := reels.Load(path)
	if !ok {
		reel, _ = reels.LoadOrStore(path, flowtest.Packets(t, path))
	}
	m := &tape{TB: t, packets: slices.Clone(reel.([]captures.Packet))}
	if strings.Contains(name, "_") { // as those of Samba are named
		m.keys = new(flows.Keys)
		if file, err := os.Open(filepath.Join(dir, "keys.tsv")); err != nil || m.keys.AddFile(file) != nil || file.Close() != nil {
			t.Fatal("no keys for ", name)
		}
	}
	return m
}

// at is where a frame lies.
func (m *tape) at(frame int) int {
	m.Helper()
	i := slices.IndexFunc(m.packets, func(p captures.Packet) bool { return p.Number == frame })
	if i < 0 {
		m.Fatalf("no frame %d", frame)
	}
	return i
}

// bytes is a frame, to be changed.
func (m *tape) bytes(frame int) []byte {
	p := &m.packets[m.at(frame)]
	p.Data = bytes.Clone(p.Data)
	return p.Data
}

// message is the first SMB2 message of a command in a frame, to be changed.
func (m *tape) message(frame int, command uint16) []byte {
	m.Helper()
	b := m.bytes(frame)
	for i := range b {
		if bytes.HasPrefix(b[i:], []byte("\xfeSMB@\x00")) && binary.LittleEndian.Uint16(b[i+12:]) == command {
			return b[i:]
		}
	}
	m.Fatalf("frame %d has no command %d", frame, command)
	return nil
}

const ioctl = 11

// request is the input buffer of the IOCTL request in a frame, answer the output buffer of
// the answer.
func (m *tape) request(frame int) []byte {
	m.Helper()
	b := m.message(frame, ioctl)
	return b[binary.LittleEndian.Uint32(b[88:]):]
}

func (m *tape) answer(frame int) []byte {
	m.Helper()
	b := m.message(frame, ioctl)
	return b[binary.LittleEndian.Uint32(b[96:]):]
}

func put16(b []byte, at int, v uint16) { binary.LittleEndian.PutUint16(b[at:], v) }
func put32(b []byte, at int, v uint32) { binary.LittleEndian.PutUint32(b[at:], v) }
func put64(b []byte, at int, v uint64) { binary.LittleEndian.PutUint64(b[at:], v) }

// refuse makes the answer to a command an error, as long as the answer was.
func (m *tape) refuse(frame int, command uint16, status uint32) {
	m.Helper()
	b := m.message(frame, command)
	put32(b, 8, status)
	end := len(b)
	if next := binary.LittleEndian.Uint32(b[20:]); next != 0 {
		end = int(next)
	}
	clear(b[64:end])
	b[64] = 9
}

// lose takes frames out of the capture: they were on the wire.
func (m *tape) lose(frames ...int) {
	m.packets = slices.DeleteFunc(m.packets, func(p captures.Packet) bool { return slices.Contains(frames, p.Number) })
}

// from and until cut the capture.
func (m *tape) from(frame int)  { m.packets = m.packets[m.at(frame):] }
func (m *tape) until(frame int) { m.packets = m.packets[:m.at(frame)+1] }

// later lets time pass before a frame.
func (m *tape) later(frame int, d time.Duration) {
	for i := m.at(frame); i < len(m.packets); i++ {
		m.packets[i].Time += int64(d)
	}
}

// again has a frame on the wire once more, after another one.
func (m *tape) again(frame, after int) int {
	p := m.packets[m.at(frame)]
	return m.insert(p, after)
}

func (m *tape) insert(p captures.Packet, after int) int {
	i := m.at(after)
	m.made--
	p.Number, p.Time = m.made, m.packets[i].Time+1000
	m.packets = slices.Insert(m.packets, i+1, p)
	return m.made
}

// segment is a frame of TCP over IPv4 over Ethernet.
type segment []byte

func (b segment) ip() byte        { return b[14] >> 4 }
func (b segment) tcp() []byte     { return b[14+int(b[14]&15)*4:] }
func (b segment) end() int        { return 14 + int(binary.BigEndian.Uint16(b[16:])) }
func (b segment) payload() []byte { return b[len(b)-len(b.tcp())+int(b.tcp()[12]>>4)*4 : b.end()] }
func (b segment) is() bool {
	return len(b) > 54 && b[12] == 8 && b[13] == 0 && b[23] == 6
}
func (b segment) ports() uint32 { return binary.BigEndian.Uint32(b.tcp()) }

// shift adds to the sequence numbers of what goes the way of one segment from a place on,
// and to what acknowledges it.
func (m *tape) shift(like segment, from, by int) {
	way := like.ports()
	for i := from; i < len(m.packets); i++ {
		b := segment(m.packets[i].Data)
		if !b.is() || b.ports() != way && b.ports() != way<<16|way>>16 {
			continue
		}
		b = segment(bytes.Clone(b))
		m.packets[i].Data = b
		at := b.tcp()[4:] // the sequence number
		if b.ports() != way {
			at = b.tcp()[8:]
		}
		binary.BigEndian.PutUint32(at, binary.BigEndian.Uint32(at)+uint32(by))
	}
}

// unsay takes frames out as if they had never been sent.
func (m *tape) unsay(frames ...int) {
	m.Helper()
	for _, frame := range frames {
		i := m.at(frame)
		b := segment(m.packets[i].Data)
		m.packets = slices.Delete(m.packets, i, i+1)
		m.shift(b, i, -len(b.payload()))
	}
}

// say repeats frames as something new after another one: each holds one message, or
// messages that it holds as a whole. It returns their numbers.
func (m *tape) say(after int, frames ...int) (made []int) {
	m.Helper()
	m.said++
	for _, frame := range frames {
		p := m.packets[m.at(frame)]
		b := segment(bytes.Clone(p.Data))
		p.Data = b
		i := m.at(after)
		for ; i >= 0; i-- { // where that side had got to
			if o := segment(m.packets[i].Data); o.is() && o.ports() == b.ports() {
				copy(b.tcp()[4:8], o.tcp()[4:8])
				binary.BigEndian.PutUint32(b.tcp()[4:], binary.BigEndian.Uint32(b.tcp()[4:])+uint32(len(o.payload())))
				break
			}
		}
		for j := m.at(after); j >= 0; j-- { // and the other one
			if o := segment(m.packets[j].Data); o.is() && o.ports() == b.ports()<<16|b.ports()>>16 {
				binary.BigEndian.PutUint32(b.tcp()[8:], binary.BigEndian.Uint32(o.tcp()[4:])+uint32(len(o.payload())))
				break
			}
		}
		m.renumber(b)
		after = m.insert(p, after)
		m.shift(b, m.at(after)+1, len(b.payload()))
		made = append(made, after)
	}
	return made
}

// renumber gives the messages of a frame ids that no others have, but for those of the same
// call of say: a request and its answer.
func (m *tape) renumber(b []byte) {
	for i := range b {
		if bytes.HasPrefix(b[i:], []byte("\xfeSMB@\x00")) {
			put64(b, i+24, binary.LittleEndian.Uint64(b[i+24:])+uint64(m.said)<<32)
		}
	}
}

// mirrored is added to the numbers of frames in a mirror.
const mirrored = 1 << 20

// mirror appends the whole session once more, a minute later and with another server, but
// for some frames that were never sent there.
func (m *tape) mirror(but ...int) {
	m.Helper()
	o := &tape{TB: m.TB, packets: slices.Clone(m.packets)}
	guid := bytes.Clone(o.message(17, 0)[72:88])
	server := o.bytes(17)[26:30]
	swap := func(b []byte) {
		if bytes.Equal(b, server) {
			b[3]++
		}
	}
	o.unsay(but...)
	for i := range o.packets {
		p := &o.packets[i]
		p.Number += mirrored
		p.Time += int64(time.Minute)
		p.Data = bytes.ReplaceAll(p.Data, guid, append([]byte{^guid[0]}, guid[1:]...))
		if segment(p.Data).is() {
			swap(p.Data[26:30])
			swap(p.Data[30:34])
		}
	}
	m.packets = append(m.packets, o.packets...)
}

// seal sets the checksums of what was changed right.
func (m *tape) seal(was []captures.Packet) {
	old := make(map[int][]byte, len(was))
	for _, p := range was {
		old[p.Number] = p.Data
	}
	for i := range m.packets {
		p := &m.packets[i]
		if o := old[p.Number]; len(o) > 0 && &o[0] == &p.Data[0] || m.spoilt == p.Number {
			continue
		}
		if p.WireLen = max(p.WireLen, len(p.Data)); len(p.Data) < p.WireLen {
			continue
		}
		p.Data = bytes.Clone(p.Data) // other tests read the same file
		switch b := segment(p.Data); {
		case b.is():
			sum := binary.BigEndian.AppendUint16(append(bytes.Clone(b[26:34]), 0, 6), uint16(b.end()-34))
			clear(b[50:52])
			for body := b[34:b.end()]; len(body) > 0; body = body[min(2, len(body)):] {
				sum = append(sum, body[0])
				if len(body) > 1 {
					sum = append(sum, body[1])
				}
			}
			if len(sum)%2 == 1 {
				sum = append(sum, 0)
			}
			n := uint32(0)
			for ; len(sum) > 0; sum = sum[2:] {
				n += uint32(binary.BigEndian.Uint16(sum))
			}
			n = n>>16 + n&0xffff
			binary.BigEndian.PutUint16(b[50:], ^uint16(n>>16+n))
		case len(b) > 60 && b[12] == 8 && b[23] == 17 && binary.BigEndian.Uint16(b[36:]) == 4791:
			body := b[14 : 34+int(binary.BigEndian.Uint16(b[38:]))]
			seen := append(bytes.Repeat([]byte{0xff}, 8), body[:len(body)-4]...)
			for _, at := range []int{1, 8, 10, 11, 26, 27, 32} {
				seen[8+at] = 0xff
			}
			binary.LittleEndian.PutUint32(body[len(body)-4:], crc32.ChecksumIEEE(seen))
		}
	}
}

// findings counts what the audit says, by level, rule and certainty: "error odx/slow",
// "note token/unused?".
func (m *tape) findings() (map[string]int, *flows.Results) {
	m.Helper()
	packets := slices.Clone(m.packets)
	for i := range packets {
		packets[i].Number = i + 1
	}
	r, err := captures.NewReader(bytes.NewReader(flowtest.Pcapng(packets)), "tape")
	if err != nil {
		m.Fatal(err)
	}
	c := flows.New(r, flows.Options{Judge: Judge, Keys: m.keys})
	if err := c.Run(context.Background()); err != nil {
		m.Fatal(err)
	}
	count := make(map[string]int)
	for _, f := range c.Results().Findings {
		text := f.Level.String() + " " + f.Rule
		if f.Uncertain != "" {
			text += "?"
		}
		count[text]++
	}
	return count, c.Results()
}

// planted is a fault in a real capture, and what the audit says of it more or less often
// than of the capture as it is: "+error odx/write-too-long", "-warning odx/read-empty 2".
type planted struct {
	name string
	do   func(m *tape)
	want string
}

// plant plants faults in a capture, one at a time.
func plant(t *testing.T, name string, faults []planted) {
	clean := load(t, name)
	before, _ := clean.findings()
	for _, f := range faults {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			m := load(t, name)
			f.do(m)
			m.seal(clean.packets)
			after, r := m.findings()
			var got []string
			keys := slices.Concat(slices.Collect(maps.Keys(before)), slices.Collect(maps.Keys(after)))
			slices.Sort(keys)
			for _, k := range slices.Compact(keys) {
				switch n := after[k] - before[k]; {
				case n == 1 || n == -1:
					got = append(got, fmt.Sprintf("%+d", n)[:1]+k)
				case n != 0:
					got = append(got, fmt.Sprintf("%s%s %d", fmt.Sprintf("%+d", n)[:1], k, max(n, -n)))
				}
			}
			want := strings.FieldsFunc(f.want, func(r rune) bool { return r == ',' })
			for i := range want {
				want[i] = strings.TrimSpace(want[i])
			}
			slices.Sort(want)
			slices.Sort(got)
			if !slices.Equal(got, want) {
				t.Errorf("got  %s\nwant %s", strings.Join(got, ", "), strings.Join(want, ", "))
				shown := make(map[string]int)
				for _, f := range r.Findings {
					if shown[f.Rule]++; shown[f.Rule] > 5 {
						continue
					}
					if k := f.Level.String() + " " + f.Rule; after[k] != before[k] || f.Uncertain != "" {
						t.Logf("%v %s %v %s (%s)", f.Level, f.Rule, f.Frames, f.Message, f.Uncertain)
					}
				}
			}
		})
	}
}
