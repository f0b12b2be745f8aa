package nexmark

import (
	"strconv"
	"strings"
)

// pools are the strings that events have, which are made once.
type pools struct {
	names         [99]string
	cities        [10]string
	states        [6]string
	emails        [1024]string
	cards         [1024]string
	personExtras  [1024]string
	items         [1024]string
	descriptions  [1024]string
	auctionExtras [1024]string
	bidExtras     [1024]string
	channels      [cold + 4]channel
}

// channel is where a bid comes from. The two strings of one are read together.
type channel struct{ name, url string }

// cold is the number of channels that have few bids each; the four hot ones stand behind.
const cold = 10_000

// The numbers of the pools whose strings are drawn. They are part of the definition.
const (
	emailUsers = iota + 1
	emailHosts
	cardDigits
	urlPaths
	personExtras
	itemNames
	descriptions
	auctionExtras
	bidExtras
)

func newPools() *pools {
	p := &pools{}
	first := strings.Fields("Peter Paul Luke John Saul Vicky Kate Julie Sarah Deiter Walter")
	last := strings.Fields("Shultz Abrams Spencer White Bartels Walton Smith Jones Noris")
	for i := range p.names {
		p.names[i] = first[i/len(last)] + " " + last[i%len(last)]
	}
	copy(p.cities[:], strings.Split("Phoenix,Los Angeles,San Francisco,Boise,Portland,Bend,Redmond,Seattle,Kent,Cheyenne", ","))
	copy(p.states[:], strings.Fields("AZ CA ID OR WA WY"))
	for i := range p.emails {
		p.emails[i] = letters(emailUsers, i, 0, 8) + "@" + letters(emailHosts, i, 0, 6) + ".com"
		p.cards[i] = card(i)
		p.personExtras[i] = letters(personExtras, i, 0, 112+i%16)
		p.items[i] = letters(itemNames, i, 0, 16+i%8)
		p.descriptions[i] = letters(descriptions, i, 0, 80+i%32)
		p.auctionExtras[i] = letters(auctionExtras, i, 0, 300+i%32)
		p.bidExtras[i] = letters(bidExtras, i, 0, 8+i%8)
	}
	hot := strings.Fields("Google Facebook Baidu Apple")
	for i := range p.channels {
		name := "channel-" + strconv.Itoa(i)
		if i >= cold {
			name = hot[i-cold]
		}
		p.channels[i] = channel{name, "https://www.nexmark.com/" + letters(urlPaths, i, 0, 5) + "/" +
			letters(urlPaths, i, 5, 5) + "/" + letters(urlPaths, i, 10, 5) + "/item.htm?query=1"}
	}
	return p
}

// letters are n letters of string i of a pool, from one of them on.
func letters(pool, i, from, n int) string {
	text := make([]byte, n)
	for j := range text {
		text[j] = 'a' + byte(hi(mark(pool, i, from+j), 26))
	}
	return string(text)
}

// card is four groups of four digits.
func card(i int) string {
	var text []byte
	for j := range 16 {
		if j > 0 && j%4 == 0 {
			text = append(text, ' ')
		}
		text = append(text, '0'+byte(hi(mark(cardDigits, i, j), 10)))
	}
	return string(text)
}

// mark is what mark j of string i of a pool is made of.
func mark(pool, i, j int) uint64 {
	return mix(uint64(pool)<<40 + uint64(i)<<16 + uint64(j))
}
