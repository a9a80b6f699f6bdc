package replay

// Offload at a server that grants other lengths than the captured one, or none: as many
// calls as the captured range takes, or another way of copying.

import (
	"context"
	"fmt"
	"time"

	"github.com/odxray/odxray/dissect/fscc"
	"github.com/odxray/odxray/dissect/ntstatus"
	"github.com/odxray/odxray/dissect/odx"
	"github.com/odxray/odxray/dissect/smb2"
	"github.com/odxray/odxray/flows"
	"github.com/odxray/odxray/flows/report"
	"github.com/odxray/odxray/replay/client"
)

// mint is a token of the target.
type mint struct {
	flows.Range // of the source
	token       []byte
}

// offload is what a run knows of tokens; guarded by run.mu.
type offload struct {
	refused int                   // step at which the target said that it has no offload; 0 if it did not
	mints   map[int][]mint        // by slot of the source
	copied  map[int][]flows.Range // by slot of the destination, what the target has copied
	asked   map[int][]flows.Range // and what the captured server had
	last    map[int]int           // by slot of the destination, the last step that says so
	extra   int                   // calls that the captured client did not make
}

// Where the parts of an offload call's input lie. [MS-FSCC] 2.3.41, 2.3.42
const (
	readOffset, readLength                  = 16, 24
	writeOffset, writeLength, writeTransfer = 8, 16, 24
	writeToken, tokenSize                   = 32, 512
)

// noOffload lists the statuses with which a server says that it has none.
var noOffload = map[smb2.Status]bool{
	0xc0000010: true, 0xc00000bb: true, 0xc0000002: true, 0xc000019c: true, // INVALID_DEVICE_REQUEST, NOT_SUPPORTED, NOT_IMPLEMENTED, FS_DRIVER_REQUIRED
	0xc000a2a1: true, 0xc000a2a2: true, 0xc000a2a3: true, 0xc000a2a4: true, // OFFLOAD_…_NOT_SUPPORTED
}

// byOffload does a step that is an offload call in another way than to send it; false
// leaves that to the caller.
func (r *run) byOffload(ctx context.Context, s *Step, k *client.Session) bool {
	if s.Header.Command != smb2.Ioctl || !s.Answered() || statusOf(s.Answer) != ntstatus.Success {
		return false
	}
	r.mu.Lock()
	refused := r.offload.refused
	r.mu.Unlock()
	off, n := ioctlInput(s.Request)
	in := part(s.Request, off, n)
	switch {
	case s.Exchange.Function == fscc.OffloadRead && refused != 0:
		r.skip(s, fmt.Sprintf("the target refuses offload, as step %d shows", refused), "")
		return true
	case s.Exchange.Function == fscc.OffloadWrite && len(in) == writeToken+tokenSize:
		switch {
		case refused != 0 && r.o.Fallback != "":
			r.otherwise(ctx, s, k, in)
			return true
		case refused == 0 && r.o.Loop:
			r.writeAll(ctx, s, k, in)
			return true
		}
	}
	return false
}

// minted takes note of the answer to an OFFLOAD_READ.
func (r *run) minted(s *Step, a *client.Answer, o *Outcome) {
	if s.Exchange.Function != fscc.OffloadRead || s.Header.Command != smb2.Ioctl || statusOf(s.Answer) != ntstatus.Success {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if noOffload[a.Status] && r.offload.refused == 0 {
		r.offload.refused = s.ID
		o.Reason = "the target has no offload"
	}
	off, n := ioctlInput(s.Request)
	in := part(s.Request, off, n)
	source := fileOf(r.plan, s)
	if a.Status != ntstatus.Success || source < 0 || len(in) < readLength+8 {
		return
	}
	var d decoder
	if body, ok := d.decode(a.Message, len(a.Message), &s.Context, slotWant).Body.(*smb2.IoctlResponse); ok {
		if reply, ok := body.Output.(*odx.ReadReply); ok {
			r.addMint(source, le.Uint64(in[readOffset:]), reply)
		}
	}
}

// wrote takes note of what an OFFLOAD_WRITE copied, then and now.
func (r *run) wrote(s *Step, now uint64) {
	destination := fileOf(r.plan, s)
	off, n := ioctlInput(s.Request)
	in := part(s.Request, off, n)
	if s.Header.Command != smb2.Ioctl || s.Exchange.Function != fscc.OffloadWrite || len(in) < writeToken || destination < 0 {
		return
	}
	at := le.Uint64(in[writeOffset:])
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.offload.asked == nil {
		r.offload.asked, r.offload.last = make(map[int][]flows.Range), make(map[int]int)
	}
	if r.offload.copied == nil {
		r.offload.copied = make(map[int][]flows.Range)
	}
	r.offload.asked[destination] = append(r.offload.asked[destination], flows.Range{Start: at, End: at + s.Exchange.Moved})
	r.offload.last[destination] = max(r.offload.last[destination], s.ID)
	if now > 0 {
		r.offload.copied[destination] = append(r.offload.copied[destination], flows.Range{Start: at, End: at + now})
	}
}

// lengthWritten returns what the answer to an OFFLOAD_WRITE says that it wrote.
func lengthWritten(s *Step, answer []byte) uint64 {
	var d decoder
	if body, ok := d.decode(answer, len(answer), &s.Context, slotWant).Body.(*smb2.IoctlResponse); ok {
		if reply, ok := body.Output.(*odx.WriteReply); ok {
			return reply.LengthWritten
		}
	}
	return 0
}

// copiedLess notes, at the end, the files of which the target copied less than the
// captured server, in however many calls.
func (r *run) copiedLess() {
	for destination, ranges := range r.offload.asked {
		then, now := uint64(0), uint64(0)
		for at := uint64(0); ; {
			next := flows.Range{Start: 1<<64 - 1}
			for _, g := range ranges {
				if g.End > at && max(g.Start, at) < next.Start {
					next = flows.Range{Start: max(g.Start, at), End: g.End}
				}
			}
			if next.End == 0 {
				break
			}
			then += next.End - next.Start
			for p := next.Start; p < next.End; {
				if n := covered(r.offload.copied[destination], p); n > 0 {
					n = min(n, next.End-p)
					now, p = now+n, p+n
					continue
				}
				p = r.nextCopied(destination, p, next.End)
			}
			at = next.End
		}
		s := r.plan.Step(r.offload.last[destination])
		if o := r.outcomes[s.ID-1]; now < then && o.Verdict != Blocked {
			o.add("bytes copied to the file", fmt.Sprint(then), fmt.Sprint(now))
			r.judge(s, &o)
		}
	}
}

// nextCopied returns where what was copied goes on after at, at the latest upto.
func (r *run) nextCopied(destination int, at, upto uint64) uint64 {
	for _, g := range r.offload.copied[destination] {
		if g.Start > at {
			upto = min(upto, g.Start)
		}
	}
	return upto
}

// addMint keeps a token. mu is held.
func (r *run) addMint(source int, at uint64, reply *odx.ReadReply) {
	b := reply.Append(nil)
	if len(b) < 16+tokenSize {
		return
	}
	if r.offload.mints == nil {
		r.offload.mints = make(map[int][]mint)
	}
	r.offload.mints[source] = append(r.offload.mints[source], mint{flows.Range{Start: at, End: at + reply.TransferLength}, append([]byte(nil), b[16:16+tokenSize]...)})
}

// fileOf returns the slot of the file that a step is on; -1 if there is none.
func fileOf(p *Plan, s *Step) int {
	for _, u := range s.Uses {
		if p.Slots[u.Slot].Kind == SlotFile {
			return u.Slot
		}
	}
	return -1
}

// sourceOf returns the slot of the source of a write's token, and where in the source the
// token begins; -1 for the token of zeros.
func (r *run) sourceOf(s *Step) (slot int, at uint64) {
	for _, u := range s.Uses {
		if t := &r.plan.Slots[u.Slot]; t.Kind == SlotToken && t.Defined != 0 {
			d := r.plan.Step(t.Defined)
			off, n := ioctlInput(d.Request)
			if in := part(d.Request, off, n); len(in) >= readLength+8 {
				return t.Parent, le.Uint64(in[readOffset:])
			}
		}
	}
	return -1, 0
}

// covered returns how many bytes from at on are in a list of ranges.
func covered(list []flows.Range, at uint64) (n uint64) {
	for again := true; again; {
		again = false
		for _, r := range list {
			if r.Start <= at+n && at+n < r.End {
				n, again = r.End-at, true
			}
		}
	}
	return n
}

// writeAll copies what the captured call copied, in as many calls as the target takes.
func (r *run) writeAll(ctx context.Context, s *Step, k *client.Session, in []byte) {
	o := Outcome{Sent: time.Now()}
	destination := fileOf(r.plan, s)
	source, begin := r.sourceOf(s)
	file, asked, transfer, goal := le.Uint64(in[writeOffset:]), le.Uint64(in[writeLength:]), le.Uint64(in[writeTransfer:]), s.Exchange.Moved
	for pos, calls := uint64(0), 0; pos < goal; calls++ {
		r.mu.Lock()
		have := covered(r.offload.copied[destination], file+pos)
		r.mu.Unlock()
		if have > 0 {
			pos += have
			continue
		}
		from := begin + transfer + pos
		token, first, length, err := r.tokenFor(ctx, s, k, source, from, goal-pos, in)
		if err != nil {
			r.fail(ctx, []*Step{s}, o.Sent, err)
			return
		}
		a, err := r.offloadWrite(ctx, s, k, token, file+pos, min(length, max(asked, pos+1)-pos), from-first)
		if err != nil {
			r.fail(ctx, []*Step{s}, o.Sent, err)
			return
		}
		o.Received, o.Answer = a.Received, a.Message
		written := lengthWritten(s, a.Message)
		if a.Status != ntstatus.Success || written == 0 {
			o.add("smb2.nt_status", report.StatusName(ntstatus.Success), report.StatusName(a.Status))
			o.add("bytes copied", fmt.Sprint(goal), fmt.Sprint(pos))
			break
		}
		r.mu.Lock()
		if r.offload.copied == nil {
			r.offload.copied = make(map[int][]flows.Range)
		}
		r.offload.copied[destination] = append(r.offload.copied[destination], flows.Range{Start: file + pos, End: file + pos + written})
		if calls > 0 {
			r.offload.extra++
		}
		r.mu.Unlock()
		pos += written
	}
	if o.Answer == nil {
		o.Reason = "an earlier call had copied it already"
		o.Received = o.Sent
	}
	r.judge(s, &o)
}

// tokenFor returns a token for a range of the source, where it begins there and how much
// of the range it covers: one that there is, or a new one.
func (r *run) tokenFor(ctx context.Context, s *Step, k *client.Session, source int, from, length uint64, in []byte) (token []byte, first, n uint64, err error) {
	if source < 0 { // zeros
		return in[writeToken:], 0, length, nil
	}
	status := ntstatus.Success
	for again := false; ; again = true {
		r.mu.Lock()
		for _, m := range r.offload.mints[source] {
			if m.Start <= from && from < m.End {
				defer r.mu.Unlock()
				return m.token, m.Start, min(length, m.End-from), nil
			}
		}
		r.mu.Unlock()
		fid := r.value(source)
		if fid == nil {
			return nil, 0, 0, needs{source}
		}
		if again {
			return nil, 0, 0, fmt.Errorf("the target gives no token for the source from %d on: %s", from, report.StatusName(status))
		}
		ask := odx.ReadRequest{Size: odx.ReadRequestSize, FileOffset: from, CopyLength: length}
		m := smb2.IoctlRequest{Function: fscc.OffloadRead, File: smb2.FileID(fid), MaxOutput: 16 + tokenSize, Flags: 1, InputData: ask.Append(nil)}
		a, err := k.Do(ctx, &client.Request{Command: smb2.Ioctl, TreeID: treeID(r.value(s.Tree)), Body: m.Append(nil)})
		if err != nil {
			return nil, 0, 0, err
		}
		status = a.Status
		ctxOf := smb2.Context{Request: smb2.Request{Function: fscc.OffloadRead}}
		var d decoder
		if body, ok := d.decode(a.Message, len(a.Message), &ctxOf, slotWant).Body.(*smb2.IoctlResponse); ok {
			if reply, ok := body.Output.(*odx.ReadReply); ok && a.Status == ntstatus.Success {
				r.mu.Lock()
				r.addMint(source, from, reply)
				r.offload.extra++
				r.mu.Unlock()
			}
		}
	}
}

func (r *run) offloadWrite(ctx context.Context, s *Step, k *client.Session, token []byte, at, length, transfer uint64) (*client.Answer, error) {
	fid := r.value(fileOf(r.plan, s))
	if fid == nil {
		return nil, needs{fileOf(r.plan, s)}
	}
	in := make([]byte, writeToken, writeToken+tokenSize)
	le.PutUint32(in, writeToken+tokenSize)
	le.PutUint64(in[writeOffset:], at)
	le.PutUint64(in[writeLength:], length)
	le.PutUint64(in[writeTransfer:], transfer)
	m := smb2.IoctlRequest{Function: fscc.OffloadWrite, File: smb2.FileID(fid), MaxOutput: 16, Flags: 1, InputData: append(in, token...)}
	return k.Do(ctx, &client.Request{Command: smb2.Ioctl, TreeID: treeID(r.value(s.Tree)), Body: m.Append(nil)})
}

// otherwise copies what a captured OFFLOAD_WRITE copied by the fallback.
func (r *run) otherwise(ctx context.Context, s *Step, k *client.Session, in []byte) {
	o := Outcome{Sent: time.Now(), Reason: "copied by " + r.o.Fallback}
	source, begin := r.sourceOf(s)
	fail := func(err error) { r.fail(ctx, []*Step{s}, o.Sent, err) }
	open := func(slot int) *client.File {
		v := r.value(slot)
		if v == nil {
			fail(needs{slot})
			return nil
		}
		return &client.File{Tree: &client.Tree{Session: k, ID: treeID(r.value(s.Tree))}, CreateResponse: smb2.CreateResponse{File: smb2.FileID(v)}}
	}
	to := open(fileOf(r.plan, s))
	if to == nil {
		return
	}
	at, from, goal := le.Uint64(in[writeOffset:]), begin+le.Uint64(in[writeTransfer:]), s.Exchange.Moved
	var err error
	if source < 0 {
		err = zero(ctx, to, at, goal)
	} else if src := open(source); src == nil {
		return
	} else {
		var size uint64
		if size, err = sizeOf(ctx, src); err == nil {
			goal = min(goal, max(size, from)-from) // offload rounds up to sectors; nothing else may pass the end
			if r.o.Fallback == "copychunk" {
				err = copyChunks(ctx, src, to, from, at, goal)
			} else {
				err = copyPlain(ctx, src, to, from, at, goal)
			}
		}
	}
	o.Received = time.Now()
	if status, refused := client.StatusOf(err); refused {
		o.add("smb2.nt_status", report.StatusName(ntstatus.Success), report.StatusName(status))
	} else if err != nil {
		fail(err)
		return
	}
	r.judge(s, &o)
}

// sizeOf returns a file's end. [MS-FSCC] 2.4.47
func sizeOf(ctx context.Context, f *client.File) (uint64, error) {
	const standardInformation, size = 5, 24
	b, err := f.QueryInfo(ctx, fscc.TypeFile, standardInformation, size)
	if err != nil {
		return 0, err
	}
	if len(b) < 16 {
		return 0, fmt.Errorf("FileStandardInformation of %d bytes", len(b))
	}
	return le.Uint64(b[8:]), nil
}

// What every server takes of one SRV_COPYCHUNK, and of a READ or WRITE of the fallback.
const (
	chunkSize   = 1 << 20
	chunksACall = 16
)

func copyChunks(ctx context.Context, from, to *client.File, source, target, length uint64) error {
	key, err := from.Ioctl(ctx, fscc.RequestResumeKey, nil, 32)
	if err != nil {
		return err
	}
	if len(key) < 24 {
		return fmt.Errorf("a resume key of %d bytes", len(key))
	}
	for length > 0 {
		in := append(append([]byte(nil), key[:24]...), make([]byte, 8)...)
		n := uint32(0)
		for ; n < chunksACall && length > 0; n++ {
			size := min(length, chunkSize)
			in = le.AppendUint64(le.AppendUint64(in, source), target)
			in = append(le.AppendUint32(in, uint32(size)), 0, 0, 0, 0)
			source, target, length = source+size, target+size, length-size
		}
		le.PutUint32(in[24:], n)
		if _, err := to.Ioctl(ctx, fscc.CopyChunkWrite, in, 12); err != nil {
			return err
		}
	}
	return nil
}

func copyPlain(ctx context.Context, from, to *client.File, source, target, length uint64) error {
	b := make([]byte, chunkSize)
	for length > 0 {
		n, err := from.ReadAt(ctx, b[:min(length, chunkSize)], int64(source))
		if n == 0 {
			return err
		}
		if _, err := to.WriteAt(ctx, b[:n], int64(target)); err != nil {
			return err
		}
		source, target, length = source+uint64(n), target+uint64(n), length-uint64(n)
	}
	return nil
}

// zero writes zeros.
func zero(ctx context.Context, f *client.File, at, length uint64) error {
	b := make([]byte, min(length, chunkSize))
	for length > 0 {
		n, err := f.WriteAt(ctx, b[:min(length, chunkSize)], int64(at))
		if err != nil {
			return err
		}
		at, length = at+uint64(n), length-uint64(n)
	}
	return nil
}
