package flows

// Options.MaxMemory: what is known of a capture may take so much, and when it takes
// more, the oldest of what is finished is forgotten, and of the index moved to a file. What it takes is counted, not
// measured, so that the same capture always loses the same.

import "reflect"

// checkEvery is how many frames may pass before the count is made again.
const checkEvery = chunkSize

// limit is what had to be forgotten.
type limit struct {
	max     uint64 // bytes; 0 for no limit
	stories int    // of copies, whose calls are no longer known
	story   int    // copies before that have none any more
	tokens  int    // of mints, likewise
}

var (
	callSize     = sizeOf[Call]()
	useSize      = sizeOf[Use]()
	mintSize     = sizeOf[mint]()
	copySize     = sizeOf[copyState]()
	exchangeSize = sizeOf[exchange]()
	openSize     = sizeOf[openState]()
	fileSize     = sizeOf[file]()
	connSize     = sizeOf[conn]() + sizeOf[Connection]()
	entrySize    = sizeOf[indexedFrame]()
	messageSize  = sizeOf[indexedMessage]()
	sendSize     = sizeOf[indexedSend]()
	runSize      = sizeOf[indexedRun]()
)

const (
	nameSize  = 128 // bytes of a name of usual length, with its place in tables
	tokenSize = 512
)

func sizeOf[T any]() uint64 { return uint64(reflect.TypeFor[T]().Size()) }

// taken returns how many bytes what is known takes, roughly.
func (a *Analyzer) taken() uint64 {
	t := &a.copies
	n := uint64(t.calls)*callSize + uint64(len(t.list))*copySize +
		uint64(t.tokens.uses)*useSize + uint64(len(t.tokens.list))*mintSize + uint64(t.tokens.raws)*tokenSize +
		a.exchanges.list.size(exchangeSize) + uint64(len(a.opens))*openSize + uint64(len(a.files))*fileSize +
		uint64(len(a.names))*nameSize + uint64(len(a.byID))*connSize
	if a.index != nil {
		n += a.index.frames.size(entrySize) + a.index.messages.size(messageSize) + a.index.sends.size(sendSize) + a.index.runs.size(runSize) + a.index.brought.size(4)
	}
	return n
}

// shed forgets until what is known fits.
func (a *Analyzer) shed() {
	for a.taken() > a.limit.max && (a.spill() || a.forgetStory() || a.forgetFrames() || a.forgetToken()) {
	}
	if a.index != nil && a.aged.keep > 0 {
		a.exchanges.drop(a)
	}
}

// spill moves something of the index to a file. Where a capture goes on for weeks, what is old
// is nothing to keep.
func (a *Analyzer) spill() bool { return a.index != nil && a.aged.keep == 0 && a.index.spill() }

// forgetFrames forgets the oldest of the index where there is no room for it elsewhere.
func (a *Analyzer) forgetFrames() bool {
	return a.index != nil && (a.aged.keep > 0 || a.index.file.err != nil) && a.index.forget()
}

// forgetStory forgets the calls of the oldest copy that still has some, but not of the
// newest copy.
func (a *Analyzer) forgetStory() bool {
	for l := &a.limit; l.story < len(a.copies.list)-1; {
		y := a.copies.list[l.story]
		l.story++
		calls := &y.Calls
		if y.final != nil {
			calls = &y.final.Calls
		}
		if n := len(*calls); n > 0 {
			*calls = nil
			a.copies.calls -= n
			l.stories++
			return true
		}
	}
	return false
}

// forgetToken forgets the bytes of the tokens, all that can be spared.
func (a *Analyzer) forgetToken() bool {
	t := &a.copies.tokens
	if t.raws == 0 {
		return false
	}
	for _, m := range t.list {
		if m.Token != nil {
			m.Token = nil
			a.limit.tokens++
		}
	}
	t.raws = 0
	return true
}

// forget drops the oldest frames of the index with the messages that end in them, but
// none of the newest.
func (ix *index) forget() bool {
	if ix.frames.gone+2*chunkSize > ix.frames.n {
		return false
	}
	ix.frames.drop(ix.file)
	for first := int(ix.frames.at(ix.frames.gone).first); ix.messages.gone+chunkSize <= first; {
		ix.messages.drop(ix.file)
	}
	for frame := range ix.dups {
		if int(frame) <= ix.frames.gone {
			delete(ix.dups, frame)
		}
	}
	for frame := range ix.pieces {
		if int(frame) <= ix.frames.gone {
			delete(ix.pieces, frame)
		}
	}
	for first := ix.sendsIn(uint32(ix.frames.gone + 1)); ix.sends.gone+chunkSize <= first; {
		ix.sends.drop(ix.file)
	}
	for first := ix.runsIn(uint32(ix.frames.gone + 1)); ix.runs.gone+chunkSize <= first; {
		ix.runs.drop(ix.file)
	}
	return true
}

// problems says what was forgotten.
func (l *limit) problems(ix *index, say func(format string, args ...any)) {
	if l.stories > 0 {
		say("the calls of %d copies were forgotten for want of memory", l.stories)
	}
	if l.tokens > 0 {
		say("the bytes of %d tokens were forgotten for want of memory", l.tokens)
	}
	if ix != nil && ix.frames.spilled > ix.frames.gone {
		say("the index of frames %d to %d is in a file of the cache directory, for want of memory", ix.frames.gone+1, ix.frames.spilled)
	}
	if ix != nil && ix.frames.gone > 0 {
		say("frames 1 to %d were forgotten for want of memory: they were analysed, but cannot be looked at", ix.frames.gone)
	}
}
