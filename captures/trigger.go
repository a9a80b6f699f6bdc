package captures

import (
	"errors"
	"io"
)

// keeper writes to a file what lies around moments, of all that goes into a spool.
type keeper struct {
	spool *Recorder
	file  *Recorder

	wanted []moment // asked for, not begun
	marks  []mark
	next   int64 // position in the spool; all that is kept lies before it
	until  int64 // time up to which packets are kept as they come
}

// A moment is what somebody wants to keep.
type moment struct {
	from, to int64
	frame    int
	text     string
}

// A mark is where packets of a time begin in the spool, and the number of the first.
type mark struct {
	pos, time int64
	number    int
}

const maxMarks = 1 << 15

// Trigger keeps the packets between two times, also those that come later, in the file
// that is written; text becomes a comment of a frame. Only with LiveOptions.Triggered.
func (l *Live) Trigger(from, to int64, frame int, text string) {
	if k := l.keeper; k != nil {
		k.spool.mu.Lock()
		k.wanted = append(k.wanted, moment{from, to, frame, text})
		k.spool.mu.Unlock()
	}
}

// take looks at packets that the spool holds since; the first has a number.
func (k *keeper) take(list []Packet, number int) error {
	k.spool.mu.Lock()
	wanted := k.wanted
	k.wanted = nil
	k.spool.mu.Unlock()
	if len(list) > 0 {
		if k.marks = append(k.marks, mark{list[0].Pos, list[0].Time, number}); len(k.marks) > maxMarks {
			k.marks = append(k.marks[:0], k.marks[maxMarks/2:]...)
		}
	}
	for _, m := range wanted {
		if err := k.fetch(m, list); err != nil {
			return err
		}
		k.until = max(k.until, m.to)
	}
	for i := range list {
		if p := list[i]; p.Time <= k.until && p.Pos >= k.next {
			if _, err := k.file.write([]Packet{p}, &Stop{}); err != nil {
				return err
			}
			k.next = p.Pos + 1
		}
	}
	return nil
}

// fetch writes what the spool still has of a moment, before the packets at hand.
func (k *keeper) fetch(m moment, list []Packet) error {
	end := k.spool.pos()
	if len(list) > 0 {
		end = list[0].Pos
	}
	pos, number := int64(-1), 0
	for i := len(k.marks) - 1; i >= 0; i-- {
		if pos, number = k.marks[i].pos, k.marks[i].number; k.marks[i].time < m.from {
			break
		}
	}
	said := false
	for pos >= 0 && pos < end {
		var p Packet
		after, err := k.spool.walkOn(pos, &p)
		if errors.Is(err, ErrOverwritten) { // go on with the oldest that is there
			if pos, number = k.later(pos); pos < 0 {
				break
			}
			continue
		}
		if err != nil && err != io.EOF {
			return err
		}
		if err == nil && p.Time > m.to {
			break // more had come before anybody knew of the moment
		}
		if err == nil && p.Time >= m.from && pos >= k.next {
			if !said && number >= m.frame {
				k.file.comment(m.text)
				said = true
			}
			if _, err := k.file.write([]Packet{p}, &Stop{}); err != nil {
				return err
			}
			k.next = pos + 1
		}
		if err == nil {
			number++
		}
		pos = after
	}
	if !said {
		k.file.comment(m.text)
	}
	return nil
}

// later returns the first mark behind a position that the spool still has; -1 if none.
func (k *keeper) later(pos int64) (int64, int) {
	k.spool.mu.Lock()
	oldest := k.spool.files[0].base
	k.spool.mu.Unlock()
	for _, m := range k.marks {
		if m.pos > pos && m.pos >= oldest {
			return m.pos, m.number
		}
	}
	return -1, 0
}

// walkOn reads the record at pos, and returns where the next begins; io.EOF if it is no
// packet.
func (r *Recorder) walkOn(pos int64, p *Packet) (after int64, err error) {
	var head [8]byte
	if n, err := r.ReadAt(head[:], pos); n < len(head) {
		if err == nil || err == io.EOF {
			err = &Error{File: r.again.name, Off: pos, Err: ErrCut}
		}
		return 0, err
	}
	after = pos + int64(littleEndian.u32(head[4:]))
	if littleEndian.u32(head[:]) != ngEnhanced {
		return after, io.EOF
	}
	return after, r.at(pos, p)
}
