//go:build linux

package captures_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/odxray/odxray/captures"
	"github.com/odxray/odxray/captures/bpf"
	"github.com/odxray/odxray/captures/linktype"
	"github.com/odxray/odxray/captures/livetest"
)

// A sent is a frame, and whether the default filter takes it.
type sent struct {
	name  string
	frame []byte
	taken bool
}

// traffic is what the filter of live is for, and what it is not for.
func traffic() (list []sent) {
	mac := []byte{2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1}
	ip4 := func(proto byte, fragment uint16, payload ...byte) []byte {
		h := []byte{0x45, 0, 0, byte(20 + 40), 0, 7, byte(fragment >> 8), byte(fragment), 64, proto, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2}
		return append(h, append(payload, make([]byte, 40-len(payload))...)...)
	}
	ip6 := func(next byte, payload ...byte) []byte {
		h := make([]byte, 40)
		h[0], h[5], h[6], h[7], h[23], h[39] = 0x60, 40, next, 64, 1, 2
		return append(h, append(payload, make([]byte, 40-len(payload))...)...)
	}
	ports := func(src, dst uint16) []byte { return []byte{byte(src >> 8), byte(src), byte(dst >> 8), byte(dst)} }
	add := func(name string, taken bool, etherType uint16, payload []byte) {
		plain := slices.Concat(mac, []byte{byte(etherType >> 8), byte(etherType)}, payload)
		tag := func(f []byte, tpid uint16, id uint16) []byte {
			return slices.Concat(f[:12], []byte{byte(tpid >> 8), byte(tpid), byte(id >> 8), byte(id)}, f[12:])
		}
		list = append(list, sent{name, plain, taken}, sent{name + ", tagged", tag(plain, 0x8100, 0xa007), taken}, sent{name + ", provider's tag", tag(plain, 0x88a8, 7), taken})
	}
	add("tcp 445", true, 0x800, ip4(6, 0, ports(50000, 445)...))
	add("tcp from 139", true, 0x800, ip4(6, 0, ports(139, 50000)...))
	add("tcp 5445", true, 0x800, ip4(6, 0x4000, ports(50000, 5445)...))
	add("tcp 80", false, 0x800, ip4(6, 0, ports(50000, 80)...))
	add("udp 4791", true, 0x800, ip4(17, 0, ports(50000, 4791)...))
	add("udp 445", false, 0x800, ip4(17, 0, ports(50000, 445)...))
	add("first fragment", true, 0x800, ip4(17, 0x2000, ports(50000, 4791)...))
	add("later fragment", true, 0x800, ip4(17, 0x2004))
	add("last fragment", true, 0x800, ip4(6, 8))
	add("roce", true, 0x8915, make([]byte, 60))
	add("arp", false, 0x806, make([]byte, 46))
	add("tcp 445 over IPv6", true, 0x86dd, ip6(6, ports(50000, 445)...))
	add("udp 53 over IPv6", false, 0x86dd, ip6(17, ports(50000, 53)...))
	add("fragment over IPv6", true, 0x86dd, ip6(44, 17, 0, 1, 1))
	return list
}

// link makes a veth pair in a namespace: what is sent on one comes in on the other.
func link(t *testing.T) (namespace string, send func(frame []byte)) {
	ns := livetest.Namespace(t)
	livetest.Pair(t, ns, "left", ns, "right")
	livetest.Run(t, "ip -n "+ns+" link set left mtu 9000")
	livetest.Run(t, "ip -n "+ns+" link set right mtu 9000")
	fd := -1
	to := unix.SockaddrLinklayer{}
	livetest.Within(t, ns, func() {
		var err error
		if fd, err = unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0); err != nil {
			return
		}
		to.Ifindex = index(ns, "left")
	})
	if fd < 0 || to.Ifindex == 0 {
		t.Skip("no packet sockets here")
	}
	t.Cleanup(func() { unix.Close(fd) })
	return ns, func(frame []byte) {
		if err := unix.Sendto(fd, frame, 0, &to); err != nil {
			t.Error(err)
		}
	}
}

func index(ns, name string) (n int) {
	out, err := livetest.Command(ns, "cat", "/sys/class/net/"+name+"/ifindex").Output()
	if err == nil {
		fmt.Sscan(string(out), &n)
	}
	return n
}

// receive captures until n packets came, or far too long.
func receive(t *testing.T, l *captures.Live, n int) (list []captures.Packet) {
	t.Helper()
	var b captures.Batch
	for end := time.Now().Add(20 * time.Second); len(list) < n; {
		if time.Now().After(end) {
			t.Fatalf("%d of %d packets came", len(list), n)
		}
		if err := l.ReadBatch(&b); err != nil {
			t.Fatal(err)
		}
		for _, p := range b.Packets {
			p.Data = bytes.Clone(p.Data)
			list = append(list, p)
		}
		b.Release()
	}
	return list
}

// TestSocket sends frames of all kinds over a veth pair: the default filter takes what
// it should, tags are where they were, and times and lengths are right.
func TestSocket(t *testing.T) {
	for _, name := range []string{"right", "any", "left"} {
		t.Run(name, func(t *testing.T) {
			ns, send := link(t)
			path := filepath.Join(t.TempDir(), "w.pcapng")
			var l *captures.Live
			var err error
			livetest.Within(t, ns, func() {
				l, err = captures.OpenLive(captures.LiveOptions{Interfaces: []string{name}, Filter: bpf.Default, Buffer: 4 << 20, Write: captures.RecordOptions{Path: path, Application: "test"}})
			})
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			var want []sent
			before := time.Now()
			for _, s := range traffic() {
				send(s.frame)
				if s.taken {
					want = append(want, s)
				}
			}
			// All see it once; any sees it go out, too, but for what a raw socket sends with a
			// tag in it: the kernel shows a cooked socket no network header then.
			times := func(s sent) int {
				if name == "any" && !strings.Contains(s.name, "tag") {
					return 2
				}
				return 1
			}
			all := 0
			for _, s := range want {
				all += times(s)
			}
			list := receive(t, l, all)
			seen := make(map[string]int)
			for i := range list {
				p := &list[i]
				if at := time.Unix(0, p.Time); at.Before(before.Add(-time.Second)) || at.After(time.Now().Add(time.Second)) {
					t.Errorf("packet %d was captured at %v", i, at)
				}
				if p.WireLen != len(p.Data) || p.Number != i+1 {
					t.Errorf("%+v", p)
				}
				if name != "any" {
					seen[string(p.Data)]++
					continue
				}
				if p.Link != linktype.LinuxSLL2 || len(p.Data) < 20 {
					t.Fatalf("%+v", p)
				}
				seen[string(p.Data[:2])+string(p.Data[20:])]++
			}
			for _, s := range want {
				key := string(s.frame)
				if name == "any" {
					key = string(s.frame[12:])
				}
				if seen[key] != times(s) {
					t.Errorf("%s: came %d times, not %d: % x", s.name, seen[key], times(s), s.frame)
				}
			}
			if c := l.Counts(); !c.Known || c.Dropped != 0 || c.Received < uint64(len(list)) {
				t.Errorf("%+v", c)
			}
			// The same from the file, in any order, while the capture goes on and after it.
			var again captures.Packet
			for _, i := range []int{len(list) - 1, 0, len(list) / 2} {
				if err := l.At(list[i].Pos, &again); err != nil || !bytes.Equal(again.Data, list[i].Data) || again.Time != list[i].Time || again.Interface != list[i].Interface {
					t.Errorf("packet %d again: %+v, %v", i, again, err)
				}
			}
			l.Comment("looks odd")
			if err := l.Close(); err != nil {
				t.Error(err)
			}
			r, err := captures.Open(path)
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			for i := range list {
				if err := r.Next(&again); err != nil || !bytes.Equal(again.Data, list[i].Data) || again.Time != list[i].Time {
					t.Fatalf("packet %d in the file: %+v, %v", i, again, err)
				}
			}
			if err := r.Next(&again); err != io.EOF {
				t.Error(err)
			}
			if f := r.Info(); len(f.Interfaces) != 1 || f.Interfaces[0].Name != name || f.Interfaces[0].Filter != bpf.Default || f.Application != "test" {
				t.Errorf("%+v", f)
			}
		})
	}
}

// TestSocketLarge: a jumbo frame is captured whole, and one that is longer than the
// snap length is cut, and says so.
func TestSocketLarge(t *testing.T) {
	ns, send := link(t)
	frame := make([]byte, 9014)
	copy(frame, traffic()[0].frame)
	frame[16], frame[17] = 9000>>8, 9000&0xff
	for _, snaplen := range []int{0, 100} {
		var l *captures.Live
		var err error
		livetest.Within(t, ns, func() {
			l, err = captures.OpenLive(captures.LiveOptions{Interfaces: []string{"right", "lo"}, Snaplen: snaplen, Buffer: 1 << 20})
		})
		if err != nil {
			t.Fatal(err)
		}
		send(frame)
		p := receive(t, l, 1)[0]
		want := frame
		if snaplen > 0 {
			want = frame[:snaplen]
		}
		if !bytes.Equal(p.Data, want) || p.WireLen != len(frame) || p.Link != linktype.Ethernet {
			t.Errorf("snap length %d: %d bytes of %d", snaplen, len(p.Data), p.WireLen)
		}
		if err := l.At(p.Pos, &p); !errors.Is(err, captures.ErrNoRandom) {
			t.Errorf("without a spool: %v", err)
		}
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestSocketStops: a capture ends after so many packets, and when its interface is gone.
func TestSocketStops(t *testing.T) {
	ns, send := link(t)
	var l *captures.Live
	var err error
	open := func(stop captures.Stop) {
		livetest.Within(t, ns, func() {
			l, err = captures.OpenLive(captures.LiveOptions{Interfaces: []string{"right"}, Buffer: 1 << 20, Stop: stop})
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	open(captures.Stop{Packets: 3})
	for range 5 {
		send(traffic()[0].frame)
	}
	var p captures.Packet
	for n := range 3 {
		if err := l.Next(&p); err != nil || p.Number != n+1 {
			t.Fatal(n, err)
		}
	}
	if err := l.Next(&p); err != io.EOF {
		t.Error("after three packets:", err)
	}
	l.Close()
	open(captures.Stop{Duration: time.Millisecond})
	if err := l.Next(&p); err != io.EOF {
		t.Error("after a millisecond:", err)
	}
	l.Close()
	open(captures.Stop{})
	livetest.Run(t, "ip -n "+ns+" link del right")
	var e *captures.Error
	if err := l.Next(&p); !errors.As(err, &e) || e.File != "right" {
		t.Error("without an interface:", err)
	}
	l.Close()
	livetest.Within(t, ns, func() {
		_, err = captures.OpenLive(captures.LiveOptions{Interfaces: []string{"right"}})
	})
	if !errors.As(err, &e) || e.What != "there is no such interface; odxray live -D lists those that there are" {
		t.Error(err)
	}
}
