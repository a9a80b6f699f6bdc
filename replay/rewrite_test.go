package replay

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/odxray/odxray/dissect/fscc"
	"github.com/odxray/odxray/dissect/smb2"
	"github.com/odxray/odxray/flows"
)

// filled returns a run whose slots all have values of the target's.
func filled(t *testing.T, path string) *run {
	t.Helper()
	p, _ := captured(t, nil, path)
	r := newRun(p, Options{Target: Target{Host: "target", Share: "there", Dir: `lab\x`}})
	for i := range p.Slots {
		v := bytes.Repeat([]byte{byte(i + 1)}, len(p.Slots[i].Old))
		r.setValue(i, v)
	}
	return r
}

// In what is sent, nothing is left of what the captured server gave.
func TestRewriting(t *testing.T) {
	for _, path := range []string{"testdata/scopy_50m.pcap", sample} {
		r := filled(t, path)
		var d decoder
		for i := range r.plan.Steps {
			s := &r.plan.Steps[i]
			if s.Header.Command <= smb2.SessionSetup {
				continue
			}
			q, err := r.request(s)
			if err != nil {
				t.Errorf("%s, step %d: %v", path, s.ID, err)
				continue
			}
			b := append(append([]byte(nil), s.Request[:headerSize]...), q.Body...)
			le.PutUint32(b[20:], 0) // NextCommand
			for n := range r.plan.Slots {
				slot := &r.plan.Slots[n]
				if len(slot.Old) >= 8 && slot.Kind != SlotSession && bytes.Contains(q.Body, slot.Old) {
					t.Errorf("%s, step %d: the captured %s is still in it", path, s.ID, slot)
				}
			}
			list, m := d.locate(b, len(b), &s.Context)
			if m.Err != nil {
				t.Errorf("%s, step %d: %v", path, s.ID, m.Err)
			}
			for k, f := range list {
				if k < len(s.Uses) && !bytes.Equal(f.value, r.value(s.Uses[k].Slot)) {
					t.Errorf("%s, step %d: %s is not what the target gave", path, s.ID, f.kind)
				}
			}
			switch s.Header.Command {
			case smb2.Create:
				if name, _ := createName(b); !strings.HasPrefix(name, `lab\x`) {
					t.Errorf("%s, step %d: %q leads out of the prefix", path, s.ID, name)
				}
			case smb2.TreeConnect:
				if p := treePath(b); p != `\\target\there` && p != `\\target\IPC$` {
					t.Errorf("%s, step %d: tree %q", path, s.ID, p)
				}
			default:
				if s.Tree < 0 {
					break
				}
				if want := le.Uint32(r.value(s.Tree)); q.TreeID != want && q.TreeID != ^uint32(0) {
					t.Errorf("%s, step %d: tree %#x, want %#x", path, s.ID, q.TreeID, want)
				}
			}
			if s.Exchange.Function == fscc.DFSGetReferrals && s.Header.Command == smb2.Ioctl {
				if off, n := ioctlInput(b); bytes.Contains(part(b, off, n), encode("10.77")) {
					t.Errorf("%s, step %d asks for the captured server", path, s.ID)
				}
			}
		}
	}
}

// A slot that nothing fills keeps back what needs it, by the name of its first cause.
func TestNeeds(t *testing.T) {
	p, _ := captured(t, nil, "testdata/scopy_50m.pcap")
	r := newRun(p, Options{})
	_, err := r.request(p.Step(11)) // SRV_COPYCHUNK_WRITE
	var missing needs
	if !errors.As(err, &missing) {
		t.Fatal(err)
	}
	if cause := r.rootCause(missing.slot); cause != 9 { // the CREATE of its destination
		t.Errorf("cause %d", cause)
	}
	r.outcomes[8] = Outcome{Verdict: Blocked, Cause: 7}
	if cause := r.rootCause(missing.slot); cause != 7 {
		t.Errorf("cause %d", cause)
	}
}

// Data that the capture lacks is made up, left out or refused, as asked for, and what it
// touched is not compared.
func TestMissing(t *testing.T) {
	p, _ := captured(t, nil, "testdata/scopy_50m.pcap")
	body := make([]byte, 48, 60)
	le.PutUint16(body, 49)
	le.PutUint16(body[2:], headerSize+48)
	le.PutUint32(body[4:], 10)
	le.PutUint64(body[8:], 1000)
	s := p.Steps[10] // has a session and a tree
	s.Header.Command, s.Uses = smb2.Write, nil
	s.Request = append(append([]byte(nil), s.Request[:headerSize]...), append(body, 'a', 'b', 'c')...)
	s.Size = len(s.Request) + 7
	s.Exchange.Offset, s.Exchange.File = 1000, "f"
	for how, want := range map[Missing]string{MissingZero: "abc\x00\x00\x00\x00\x00\x00\x00", MissingPattern: "abc", MissingSkip: "", MissingFail: ""} {
		r := newRun(p, Options{Missing: how})
		b, err := r.whole(&s)
		if (err != nil) != (want == "") {
			t.Errorf("%s: %v", how, err)
		}
		if want == "" {
			continue
		}
		if data := string(b[headerSize+48:]); !strings.HasPrefix(data, want) || len(data) != 10 || le.Uint32(b[headerSize+4:]) != 10 {
			t.Errorf("%s: %q", how, data)
		}
		if ranges := r.taintOf("f"); len(ranges) != 1 || ranges[0].Start != 1003 || ranges[0].End != 1010 {
			t.Errorf("%s: %v", how, ranges)
		}
	}
}

// What went by RDMA goes in the message.
func TestInline(t *testing.T) {
	read := make([]byte, headerSize+48+16)
	le.PutUint32(read[headerSize+36:], 1)
	le.PutUint16(read[headerSize+46:], 16)
	if b := inline(read, &Step{Header: Header{Command: smb2.Read}}); len(b) != headerSize+49 || le.Uint32(b[headerSize+36:]) != 0 || le.Uint16(b[headerSize+46:]) != 0 {
		t.Errorf("READ: % x", b[headerSize:])
	}
	write := make([]byte, headerSize+48+16)
	le.PutUint32(write[headerSize+32:], 1)
	le.PutUint32(write[headerSize+36:], 4096)
	s := &Step{Header: Header{Command: smb2.Write}, Request: write, Size: len(write)}
	if b := inline(bytes.Clone(write), s); len(b) != headerSize+48 || le.Uint32(b[headerSize+4:]) != 4096 || le.Uint32(b[headerSize+32:]) != 0 {
		t.Errorf("WRITE: % x", b[headerSize:])
	}
	if n := (&run{}).lacks(s); n != 4096 {
		t.Errorf("%d bytes are missing", n)
	}
}

func TestSnapshots(t *testing.T) {
	// [MS-SMB2] 2.2.32.2 writes times so; the FILETIME is what MS-DTYP makes of it.
	if got := fileTimeOf("@GMT-2016.06.03-14.47.22"); got != 131094388420000000 {
		t.Errorf("%d", got)
	}
	if fileTimeOf("@GMT-x") != 0 {
		t.Error("what is no time has one")
	}
}

// Whatever ends a token's source waits for the token's last use.
func TestSourcesStay(t *testing.T) {
	p, _ := captured(t, nil, sample)
	for i := range p.Slots {
		token := &p.Slots[i]
		if token.Kind != SlotToken || token.Parent < 0 || p.Slots[token.Parent].Dies == 0 || token.LastUse == 0 {
			continue
		}
		end, use := p.Step(p.Slots[token.Parent].Dies).Group, p.Step(token.LastUse).Group
		if !p.waitsFor(end, use) {
			t.Errorf("%s: its source is closed before its last use", token)
		}
	}
}

// No name leads out of the prefix.
func TestConfined(t *testing.T) {
	p, _ := captured(t, nil, "testdata/scopy_50m.pcap")
	r := newRun(p, Options{Target: Target{Dir: "lab"}})
	s := p.Steps[7] // CREATE
	for name, ok := range map[string]bool{"a": true, `a\b`: true, "a..b": true, "..": false, `..\a`: false, `a\..\..\b`: false, "a/../b": false} {
		b, err := r.mapped(&s, setCreate(s.Request, name))
		if (err == nil) != ok {
			t.Errorf("%q: %v", name, err)
		}
		if got, _ := createName(b); ok && got != `lab\`+name {
			t.Errorf("%q became %q", name, got)
		}
	}
	byID := bytes.Clone(s.Request)
	byID[headerSize+41] |= 0x20
	if _, err := r.mapped(&s, byID); err == nil {
		t.Error("a file is opened by its id")
	}
}

// Made up bytes stay so when they are copied, until something real is written over them.
func TestTaint(t *testing.T) {
	p, _ := captured(t, nil, "testdata/scopy_50m.pcap")
	r := newRun(p, Options{})
	r.madeUp(p.Manifest())
	if got := r.taintOf("r50m"); len(got) != 1 || got[0] != (flows.Range{End: 50000000}) {
		t.Fatal(got)
	}
	r.passOn(p.Step(12)) // the second SRV_COPYCHUNK_WRITE: [16M, 32M)
	if got := r.taintOf("R50M.copy"); len(got) != 1 || got[0] != (flows.Range{Start: 16 << 20, End: 32 << 20}) {
		t.Fatal(got)
	}
	r.written("r50m.copy", flows.Range{Start: 20 << 20, End: 21 << 20})
	if got := r.taintOf("r50m.copy"); len(got) != 2 || got[0].End != 20<<20 || got[1].Start != 21<<20 {
		t.Fatal(got)
	}
	if got := mask([]byte("abcdef"), 10, flows.Range{Start: 8, End: 12}); string(got) != "\x00\x00cdef" {
		t.Errorf("%q", got)
	}
}
