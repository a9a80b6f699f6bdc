package server

import (
	"bytes"
	"slices"
	"strings"

	"github.com/odxray/odxray/dissect/dtyp"
	"github.com/odxray/odxray/dissect/fscc"
	"github.com/odxray/odxray/dissect/ntstatus"
	"github.com/odxray/odxray/dissect/smb2"
	"github.com/odxray/odxray/dissect/wire"
)

// kept is what the server keeps of a file until it ends, whatever the store: nobody's
// access depends on it. Server.mu guards it.
type kept struct {
	security *descriptor // nil: that of all files
	eas      []ea        // by name
}

// ea is an extended attribute.
type ea struct {
	flags uint8
	name  string
	value []byte
}

const (
	maxKept     = 1 << 16 // files
	maxEABytes  = 65535   // of a file, as NTFS has it
	maxSecurity = 65535   // bytes of a security descriptor
)

// keeps returns what is kept of a file; nil if nothing is. Server.mu is held.
func (s *Server) keeps(id FileNumber) *kept {
	id.Stream = 0
	return s.kept[id]
}

// keep returns a place for it; nil if there are too many. Server.mu is held.
func (s *Server) keep(id FileNumber) *kept {
	id.Stream = 0
	k := s.kept[id]
	if k == nil && len(s.kept) < maxKept {
		k = new(kept)
		s.kept[id] = k
	}
	return k
}

// forgetKept forgets what was kept of a file that is gone, or that only has the number of
// another.
func (s *Server) forgetKept(id FileNumber) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.kept, id)
}

// keepNew keeps what a CREATE gives a new file. Errors of it were found before.
func (s *Server) keepNew(id FileNumber, m *smb2.CreateRequest) {
	s.forgetKept(id)
	d, _ := createSecurity(m)
	if d == nil && m.EA.Count == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if k := s.keep(id); k != nil {
		k.security = d
		if m.Contexts.Has(smb2.ContextEA) {
			k.set(&m.EA)
		}
	}
}

// createSecurity reads the security descriptor of a CREATE; nil if there is none.
func createSecurity(m *smb2.CreateRequest) (*descriptor, status) {
	if !m.Contexts.Has(smb2.ContextSD) {
		return nil, ntstatus.Success
	}
	for name, data := range m.List.Each {
		if name != smb2.ContextSD.Name() {
			continue
		}
		given, ok := parseDescriptor(data)
		if !ok {
			return nil, ntstatus.InvalidParameter
		}
		d := *everybody()
		parts := dtyp.SecurityInformation(0)
		if given.owner != nil {
			parts |= dtyp.OwnerSecurity
		}
		if given.group != nil {
			parts |= dtyp.GroupSecurity
		}
		if given.control&dtyp.DACLPresent != 0 {
			parts |= dtyp.DACLSecurity
		}
		d.take(given, parts)
		return &d, ntstatus.Success
	}
	return nil, ntstatus.Success
}

// checkEAs tells whether attributes can be kept.
func checkEAs(list *fscc.FullEAInfo) status {
	n := 0
	for a := range list.All() {
		if len(a.Name) == 0 || bytes.ContainsAny(a.Name, "\x00\"*+,/:;<=>?[\\]|") {
			return statusInvalidEAName
		}
		n += len(a.Name) + len(a.Value) + 5
	}
	if n > maxEABytes {
		return statusEATooLarge
	}
	return ntstatus.Success
}

// set sets attributes; one without a value goes. Names have no case. Server.mu is held.
func (k *kept) set(list *fscc.FullEAInfo) status {
	eas := slices.Clone(k.eas)
	for a := range list.All() {
		name := strings.ToUpper(string(a.Name))
		at, there := slices.BinarySearchFunc(eas, name, func(e ea, name string) int { return strings.Compare(e.name, name) })
		switch {
		case len(a.Value) == 0 && there:
			eas = slices.Delete(eas, at, at+1)
		case len(a.Value) == 0:
		case there:
			eas[at] = ea{a.Flags, name, bytes.Clone(a.Value)}
		default:
			eas = slices.Insert(eas, at, ea{a.Flags, name, bytes.Clone(a.Value)})
		}
	}
	if eaSize(eas) > maxEABytes {
		return statusEATooLarge
	}
	k.eas = eas
	return ntstatus.Success
}

// eaSize is what attributes take, in bytes, as clients are told.
func eaSize(eas []ea) uint32 {
	n := 0
	for _, e := range eas {
		n += 5 + len(e.name) + len(e.value)
	}
	if n > 0 {
		n += 4
	}
	return uint32(n)
}

func (s *Server) eaSize(id FileNumber) uint32 {
	s.mu.Lock()
	defer s.mu.Unlock()
	if k := s.keeps(id); k != nil {
		return eaSize(k.eas)
	}
	return 0
}

// setEAs serves SET_INFO of FileFullEaInformation. [MS-FSA] 2.1.5.14.6
func (o *open) setEAs(list *fscc.FullEAInfo) status {
	if st := o.needs(dtyp.WriteEA); st != ntstatus.Success {
		return st
	}
	if st := checkEAs(list); st != ntstatus.Success {
		return st
	}
	s := o.s
	s.mu.Lock()
	k := s.keep(o.file.key)
	if k == nil {
		s.mu.Unlock()
		return ntstatus.InsufficientResources
	}
	st := k.set(list)
	s.mu.Unlock()
	if st == ntstatus.Success {
		s.changed(o.file.name(), fscc.ActionModified, notifyEA)
	}
	return st
}

// queryEAs serves QUERY_INFO of FileFullEaInformation: all attributes, or those asked for.
// [MS-FSA] 2.1.5.12.14
func (r *request) queryEAs(o *open, m *smb2.QueryInfoRequest) status {
	const single, restart = 2, 1
	if st := o.needs(dtyp.ReadEA); st != ntstatus.Success {
		return st
	}
	var list []ea
	o.s.mu.Lock()
	if k := o.s.keeps(o.file.key); k != nil {
		list = k.eas
	}
	o.s.mu.Unlock()
	if len(list) == 0 {
		return statusNoEAs
	}
	if named, ok := m.Input.(*fscc.GetEAInfo); ok {
		list = pick(list, named)
	} else if m.Flags&single != 0 {
		if m.Flags&restart != 0 {
			o.nextEA = 0
		}
		if o.nextEA >= len(list) {
			return statusNoMoreEAs
		}
		list = list[o.nextEA : o.nextEA+1]
		o.nextEA++
	}
	var out []byte
	last := -1
	for _, e := range list {
		at := (len(out) + 3) &^ 3
		if at+8+len(e.name)+1+len(e.value) > int(m.OutputLength) {
			if last < 0 {
				return ntstatus.BufferTooSmall
			}
			r.body = smb2.AppendOutput(nil, out)
			return ntstatus.BufferOverflow
		}
		out = wire.Align(out, 0, 4)
		if last >= 0 {
			wire.PutU32(out[last:], uint32(at-last))
		}
		last = at
		out = append(wire.AppendU32(out, 0), e.flags, byte(len(e.name)))
		out = wire.AppendU16(out, uint16(len(e.value)))
		out = append(append(append(out, e.name...), 0), e.value...)
	}
	r.body = smb2.AppendOutput(nil, out)
	return ntstatus.Success
}

// pick returns the attributes that a query names; one that is not there has no value.
func pick(list []ea, named *fscc.GetEAInfo) (found []ea) {
	for a := range named.All() {
		name := strings.ToUpper(string(a.Name))
		i := slices.IndexFunc(list, func(e ea) bool { return e.name == name })
		if i >= 0 {
			found = append(found, list[i])
		} else {
			found = append(found, ea{name: name})
		}
	}
	return found
}
