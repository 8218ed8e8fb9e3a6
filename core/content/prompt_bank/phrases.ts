/** Phrases of our own, one a line. In no list does an entry go on where another ends: texts are read back by that. */

/** People and creatures, besides animals; "my ..." fits them as well as "a ...". */
export const PEOPLE = lines(`
alchemist
android
angel
archer
astronaut
baker
ballerina
barber
bard
barista
beekeeper
blacksmith
boxer
boy
busker
butcher
carpenter
chef
clockmaker
clown
cowboy
cyborg
dancer
detective
diver
dragon
druid
elf
explorer
fairy
farmer
firefighter
fisherman
florist
gardener
ghost
girl
gnome
goblin
golem
gondolier
grandmother
hermit
jester
juggler
king
knight
librarian
lumberjack
magician
man
mechanic
mermaid
miner
monk
ninja
nurse
oracle
orc
painter
paladin
phoenix
photographer
pilot
pirate
postman
princess
queen
robot
sailor
samurai
scarecrow
scientist
shepherd
singer
skater
skeleton
snowman
sorceress
street musician
surfer
tailor
teacher
troll
unicorn
vampire
viking
violinist
wanderer
warrior
watchmaker
werewolf
witch
wizard
woman
woodcutter
`);

/** Of people and animals. */
export const MANNERS = lines(`
ancient
angry
armoured
bearded
bored
brave
cheerful
chubby
clumsy
cute
dancing
dapper
dreaming
elderly
elegant
fancy
fierce
fluffy
freckled
friendly
ghostly
giant
gloomy
grumpy
happy
heroic
hooded
hungry
lonely
lost
majestic
masked
mechanical
melancholic
mischievous
muscular
mysterious
noble
old
patient
playful
proud
realistic
regal
sad
scruffy
serious
shy
silly
sleepy
smiling
smug
steampunk
stern
surprised
tattooed
tiny
tired
translucent
very old
weary
wet
wild
wise
wooden
young
zombie
`);

/** Of things. */
export const STATES = lines(`
abandoned
antique
battered
beautiful
bent
big
broken
burning
cheap
clean
colourful
crooked
curious
cute
dirty
dusty
elegant
empty
enchanted
enormous
fancy
floating
forgotten
frozen
futuristic
giant
glowing
handmade
haunted
heavy
huge
impossible
knitted
lonely
lost
lovely
massive
melting
minimalist
modern
moss-covered
mysterious
neon
new
old
ornate
overgrown
painted
perfect
plain
polished
retro
rounded
ruined
rustic
rusty
shiny
simple
sleek
small
snow-covered
strange
surreal
tiny
tilted
translucent
victorian
vintage
weathered
weird
worn
`);

export const COLOURS = lines(`
amber
beige
black
blue
brown
burgundy
coral
cream
crimson
cyan
dark green
emerald
gold
gray
green
indigo
ivory
lavender
lilac
magenta
mint
mustard
navy
ochre
olive
orange
peach
pink
purple
red
rose
sand
silver
sky blue
teal
turquoise
violet
white
yellow
`);

export const MATERIALS = lines(`
amber
bamboo
bone
brass
bronze
candy
cardboard
ceramic
chocolate
clay
clouds
copper
coral
crystal
driftwood
felt
flowers
folded paper
glass
gold
ice
iron
ivory
jade
lace
leather
leaves
lego bricks
lightning
marble
mercury
mirrors
moss
neon tubes
old books
opal
paper
pearl
plasticine
porcelain
quartz
rusted steel
sand
sea shells
silk
silver
smoke
stained glass
stars
stone
water
wicker
wire
wood
wool
yarn
`);

/** What somebody does. */
export const DOINGS = lines(`
asleep
baking bread
carrying a lantern
chasing butterflies
climbing a ladder
counting coins
crossing a bridge
dancing
drawing a map
drinking tea
eating noodles
eating ramen
fixing a clock
flying a kite
flying
holding a candle
holding an umbrella
howling
juggling
jumping
knitting a scarf
laughing
leaning against a wall
listening to music
looking at the camera
looking at the stars
looking into a mirror
looking out of the window
lost in thought
making coffee
meditating
opening a letter
painting a fence
painting a picture
peeking out of a box
picking apples
planting a tree
playing cards
playing chess
playing the drums
playing the guitar
playing the piano
playing the violin
pouring wine
pushing a cart
reading a book
reading a newspaper
reading by candlelight
relaxing
repairing a robot
resting
riding a bicycle
riding a horse
riding a motorcycle
running
sailing a boat
selling flowers
singing
sitting
skateboarding
sleeping
smelling a flower
smoking a pipe
sneezing
standing
staring
stretching
studying
surfing
sweeping leaves
swimming
taking a bath
taking a photo
telling a story
trying on a hat
turning away
tying a shoe
waiting for a train
waiting
walking home
walking
watching tv
watching the rain
watering plants
waving
wearing a crown
wearing a hat
wearing a scarf
wearing a suit
wearing glasses
wearing goggles
wearing headphones
whispering
working late
writing a letter
yawning
`);

/** Two, or a few. */
export const PAIRS = lines(`
a mother and her daughter
an old couple
brothers
friends
sisters
three astronauts
three bears
three kings
three witches
two bears
two boys
two cats
two children
two cowboys
two crows
two dogs
two elephants
two foxes
two ghosts
two girls
two horses
two knights
two men
two monks
two old friends
two owls
two penguins
two pirates
two rabbits
two robots
two sailors
two skeletons
two wolves
two women
`);

/** What two do together. */
export const TOGETHER = lines(`
arguing
building a sandcastle
crossing a river
dancing
drinking tea
exploring
facing each other
fighting
having a picnic
holding hands
hugging
laughing
on a bench
on a boat
on a swing
playing chess
playing music
racing
reading a map
running
sailing
sharing a meal
sharing an umbrella
sitting by a fire
sleeping
standing back to back
talking
travelling
under one blanket
waiting for the bus
walking
watching the sunset
`);

export const PLACES = lines(`
above a river
above the clouds
among ferns
among ruins
at a bus stop
at a crowded market
at a small table
at an airport
at sea
at the edge of a cliff
at the north pole
at the opera
at the seaside
behind a curtain
behind a waterfall
beside a campfire
beside a frozen lake
beside a railway
beside a stream
between two buildings
by an open window
by the fireplace
by the sea
in a bamboo forest
in a bathtub
in a bottle
in a bus
in a busy kitchen
in a cathedral
in a cave
in a classroom
in a corn field
in a cosy cafe
in a courtyard
in a crater
in a crystal cave
in a dark alley
in a dark forest
in a desert
in a diner
in a dim bar
in a dollhouse
in a field of poppies
in a field of sunflowers
in a field of tulips
in a flooded city
in a foggy forest
in a forest
in a garden
in a garage
in a glass dome
in a greenhouse
in a hot air balloon
in a laboratory
in a library
in a light bulb
in a living room
in a meadow
in a messy bedroom
in a misty valley
in a museum
in a narrow street
in a phone box
in a photo booth
in a pine forest
in a puddle
in a quiet village
in a rock pool
in a rowing boat
in a scandinavian kitchen
in a shop window
in a small harbour
in a snow globe
in a snowstorm
in a space station
in a spaceship
in a submarine
in a subway
in a supermarket
in a swamp
in a swimming pool
in a tea cup
in a temple
in a tent
in a theatre
in a thunderstorm
in a tree house
in a vineyard
in a walnut shell
in a workshop
in an abandoned factory
in an attic
in an elevator
in an empty street
in an ice cave
in an old barn
in an orchard
in antarctica
in heavy rain
in heavy snow
in iceland
in kyoto
in lisbon
in london
in new york
in outer space
in paris
in scotland
in space
in the alps
in the arctic
in the city
in the clouds
in the desert
in the fog
in the jungle
in the mountains
in the park
in the rain
in the ruins of a city
in the sahara
in the snow
in the underworld
in tokyo
in venice
inside a clock
inside a whale
near a volcano
near white cliffs
next to a fountain
next to a lighthouse
on a balcony
on a bridge
on a cliff
on a country road
on a desk
on a dirt road
on a distant planet
on a ferry
on a floating island
on a hill
on a mountain top
on a park bench
on a pedestal
on a picnic blanket
on a pier
on a plate
on a rooftop
on a rope bridge
on a shelf
on a stack of books
on a stage
on a staircase
on a train
on a windowsill
on a wooden table
on an iceberg
on an island
on mars
on the beach
on the moon
on the roof of a bus
on wet stone
over a city
over the ocean
under a bridge
under a full moon
under a street lamp
under a tree
under the bed
under the sea
under the stars
underwater
`);

/** What stands alone as a picture. */
export const SCENES = lines(`
alley
ancient temple
apartment block
aquarium
art deco lobby
bakery
bay with sailing boats
bookshop
botanical garden
bus station
canal
canyon
castle on a hill
cathedral
chateau
circus
city square
cliffs by the sea
coal mine
coffee shop
coral reef
country house
crossroads
desert city
dining room
factory hall
farm
fishing village
fjord
flower market
gas station
ghost town
glacier
greenhouse
harbour town
hotel corridor
ice palace
island kingdom
japanese garden
jungle river
laundromat
library with endless shelves
lighthouse
market square
medieval town
mill by a stream
monastery
mountain lake
mountain pass
mountain village
night market
observatory
oasis
old bridge
old cinema
opera house
palace gardens
parking lot
prairie
rice terraces
road through the hills
roller coaster
rooftop garden
ruined abbey
salt flats
school corridor
shipyard
skyline
space colony
spice market
steppe
subway station
suburban street
sunken city
swamp village
throne room
toy shop
train station
tree house village
tundra
tunnel
valley with a river
vineyard
volcano
waterfall
windmill
winter forest
wizard tower
`);

/** After "in the". */
export const TIMES = lines(`
1920s
1950s
1970s
1980s
autumn
desert
distant future
early morning
evening
fog
forest
future
middle ages
moonlight
mountains
night
rain
snow
spring
summer heat
wind
winter
year 3000
`);

/** What a picture is, before "of". */
export const MEDIA = lines(`
3d render
aerial photo
black and white photo
blueprint
charcoal sketch
children's book illustration
close up
comic panel
concept art
crayon drawing
digital painting
diorama
embroidery
engraving
icon
illustration
ink drawing
line drawing
macro photo
minimal poster
mosaic
oil painting
papercut
pencil sketch
photo
pixel art
polaroid
product photo
sculpture
stained glass window
sticker
tattoo design
travel poster
vector art
vintage photo
watercolour
wide shot
woodcut
`);

/** How it is made; after a comma. */
export const STYLES = lines(`
1980s film still
1990s cartoon
3d render
abstract
acrylic painting
airbrush
anime style
architectural drawing
art deco
art nouveau
baroque painting
bauhaus
black and white photo
blueprint
book cover
botanical illustration
ceramic figurine
chalk drawing
charcoal drawing
children's book illustration
children's drawing
claymation
collage
coloured pencil
comic book
comic panel
concept art
crayon drawing
cross stitch
cubism
cutaway drawing
cyberpunk
dark fantasy
diorama
double exposure
embroidery
engraving
fantasy art
fashion photo
film photo
flat design
flat icon
folk art
food photography
fresco
game asset
gothic
gouache
graffiti
hand drawn
impressionist
ink drawing
ink wash
isometric
kodak film look
line art
linocut
low poly
macro photo
manga
matte painting
miniature model
minimal
minimal poster
mosaic
mural
needle felt
oil on canvas
oil painting
origami
papercut
paper craft
pastel drawing
pencil sketch
photo
photorealistic
pixel art
pointillism
polaroid
pop art
pop-up book
product photo
psychedelic
puppet animation
realistic
renaissance painting
retro futurism
risograph
sci-fi
screen print
sculpture
sketch
stained glass
steampunk
sticker
stop motion
storybook
street photography
surrealism
synthwave
t-shirt design
tarot card
tattoo design
technical drawing
trading card
travel photography
travel poster
ukiyo-e
vaporwave
vector art
victorian engraving
vintage photo
vintage poster
watercolour
whimsical illustration
wildlife photography
woodblock print
woodcut
`);

/** Light and weather; after a comma. */
export const LIGHTS = lines(`
afternoon sun
at dawn
at dusk
at night
aurora
autumn leaves
backlight
blue hour
blue light
bright
bright daylight
calm sea
candlelight
city lights
cloudy sky
dappled light
dark background
deep shadows
dim light
dramatic lighting
dust in the air
early morning
evening
falling leaves
few clouds
fireflies
fog
full moon
glowing embers
golden hour
hard light
harsh flash
heavy clouds
lamp light
lightning
long shadows
low sun
midnight
mist
moonlight
morning haze
morning sun
neon lights
night
northern lights
overcast
rain
reflections
rim light
sandstorm
shafts of light
silhouette
smoke
snow falling
soft light
soft shadow
soft window light
sparks
starry sky
steam rising
storm
studio lighting
summer
sunbeams
sunrise
sunset
twilight
volumetric light
warm glow
warm light
winter
`);

/** Camera and view; after a comma. */
export const VIEWS = lines(`
24mm
35mm
50mm
85mm
action shot
aerial view
bird's eye view
bokeh
centred
close up
dutch angle
extreme close up
eye level
f1.8
film grain
fisheye
from above
from behind
from below
full body
grainy
half body
head shot
high angle
large aperture
long exposure
long shot
low angle
macro
motion blur
over the shoulder
panorama
portrait
profile
rule of thirds
shallow depth of field
sharp focus
side view
symmetrical
telephoto
tilt shift
top view
ultra wide
wide angle
wide shot
worm's eye view
`);

/** Mood, care and praise; after a comma. */
export const MOODS = lines(`
4k
8k
adorable
atmospheric
award winning
beautiful
bold
calm
candid
cinematic
clean
clean lines
cosy
creepy
crisp
cute
dark and moody
detailed
dreamy
dynamic
eerie
elegant
epic
ethereal
expressive
fairy tale
faded
festive
fun
funny
gloomy
gritty
halloween
hd
highly detailed
hopeful
hyper detailed
intricate
joyful
kawaii
liminal
lo-fi
loneliness
magical
masterpiece
melancholy
minimal composition
moody
muted palette
mysterious
natural
nostalgic
ornate
pastel colours
peaceful
playful
quiet
raw
romantic
rustic
serene
simple
soft colours
surreal
tender
timeless
trending
trippy
ultra detailed
vibrant
vivid colours
warm tones
weird
whimsical
`);

/** What shall not be there; after a comma. */
export const WITHOUT = lines(`
no background
no blur
no border
no buildings
no cars
no frame
no people
no shadows
no signature
no text
no watermark
nothing else
without people
without text
`);

/** After a comma, or first. */
export const GROUNDS = lines(`
beige background
black background
blank wall
brick wall behind
gradient background
green background
grey background
neutral background
pink background
plain background
white background
wooden background
yellow background
`);

function lines(text: string): readonly string[] {
  return text.trim().split("\n");
}
