package bpf

import "golang.org/x/net/bpf"

// generator makes a program from its end to its start: then every place that a jump goes
// to is known. A label is how many instructions there are from it to the end.
type generator struct {
	back []bpf.Instruction // the program, last instruction first
}

func (g *generator) emit(i bpf.Instruction) (label int) {
	g.back = append(g.back, i)
	return len(g.back)
}

// end is where a packet is kept up to n bytes, or dropped.
func (g *generator) end(n int) (label int) {
	return g.emit(bpf.RetConstant{Val: uint32(n)})
}

// node makes instructions that go to yes or to no, and returns where they begin.
func (g *generator) node(n *node, yes, no int) (label int) {
	switch n.op {
	case opTrue:
		return g.jump(yes)
	case opNot:
		return g.node(n.a, no, yes)
	case opAnd:
		return g.node(n.a, g.node(n.b, yes, no), no)
	case opOr:
		return g.node(n.a, yes, g.node(n.b, yes, no))
	}
	return g.test(&n.test, yes, no)
}

// jump goes to a label, however far.
func (g *generator) jump(to int) (label int) {
	if to == len(g.back) {
		return to // it comes next
	}
	return g.emit(bpf.Jump{Skip: uint32(len(g.back) - to)})
}

// near returns a label for to that a conditional jump can reach once room more
// instructions stand before it.
func (g *generator) near(to, room int) (label int) {
	if len(g.back)+room-to <= 255 {
		return to
	}
	return g.emit(bpf.Jump{Skip: uint32(len(g.back) - to)})
}

var conditions = [...]bpf.JumpTest{bpf.JumpEqual, bpf.JumpNotEqual, bpf.JumpGreaterThan, bpf.JumpLessThan, bpf.JumpGreaterOrEqual, bpf.JumpLessOrEqual}

func (g *generator) test(t *test, yes, no int) (label int) {
	yes, no = g.near(yes, 2), g.near(no, 2)
	g.emit(bpf.JumpIf{Cond: conditions[t.rel], Val: t.value, SkipTrue: uint8(len(g.back) - yes), SkipFalse: uint8(len(g.back) - no)})
	if t.mask != 0 {
		g.emit(bpf.ALUOpConstant{Op: bpf.ALUOpAnd, Val: t.mask})
	}
	switch t.where {
	case atLength:
		return g.emit(bpf.LoadExtension{Num: bpf.ExtLen})
	case atProtocol:
		return g.emit(bpf.LoadExtension{Num: bpf.ExtProto})
	case atTagPresent:
		return g.emit(bpf.LoadExtension{Num: bpf.ExtVLANTagPresent})
	case atTag:
		return g.emit(bpf.LoadExtension{Num: bpf.ExtVLANTag})
	case atTransport:
		g.emit(bpf.LoadIndirect{Off: t.offset, Size: int(t.size)})
		return g.emit(bpf.LoadMemShift{Off: t.base})
	}
	return g.emit(bpf.LoadAbsolute{Off: t.offset, Size: int(t.size)})
}

// program returns the program in the order in which it runs.
func (g *generator) program() []bpf.Instruction {
	list := make([]bpf.Instruction, len(g.back))
	for i, in := range g.back {
		list[len(list)-1-i] = in
	}
	return list
}
