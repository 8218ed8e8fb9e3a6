/**
 * Nouns that can be drawn, picked by hand from WordNet 3.1's by lexicographer file: noun.animal,
 * noun.artifact, noun.food and noun.plant. Licence: `WORDNET_LICENSE` beside this file.
 */
/** noun.animal */
export const ANIMALS = words(`
alpaca anaconda ant anteater antelope ape armadillo axolotl badger bat bear beaver bee beetle
bird bison bloodhound bluefish boar buffalo bug bull bumblebee butterfly calf camel cat
caterpillar chameleon cheetah chick chimpanzee cicada clam clamshell cockatoo cockroach cocoon
colt corgi cow coyote crab crane cricket crocodile crow dachshund dalmatian deer dog dolphin
donkey dove dragonfly duck eagle elephant falcon ferret firefly fish flamingo fly fox frog
gecko giraffe goat goldfish goose gorilla grasshopper greyhound hamster hare hawk
hedgehog hen heron hippopotamus honeybee horse hound hummingbird husky hyena iguana insect
jackal jackdaw jaguar jellyfish kangaroo kingfisher kitten koala ladybird lamb lemur leopard
lion lizard llama lobster locust lynx magpie manatee mantis mare meerkat mole mongoose monkey
moose moth mouse mule narwhal nightingale ocelot octopus orangutan ostrich otter owl oyster
panda panther parakeet parrot peacock pelican penguin pheasant pig pigeon platypus pony poodle
porcupine possum puffin puppy python rabbit raccoon ram rat rattlesnake raven reindeer rhino
rhinoceros robin rooster salamander salmon scorpion seagull seahorse seal serpent shark sheep
sidewinder sloth snail snake spaniel sparrow spider squid squirrel starfish stingray stork swan
tadpole terrier tiger toad tortoise toucan turkey turtle vulture walrus whale wolf woodpecker
zebra
`);

/** noun.artifact */
export const ARTIFACTS = words(`
abbey aircraft airplane airport aisle alley alleyway ambulance anchor anvil apron armchair attic
automobile aviary axe backyard bag balloon ballroom bandstand banister banjo barbell barge barn
barnyard barrel basement basin basket bassinet bath bathrobe baton bed bedpost bedroom bedstead
belfry bell belt bench bicycle binder binoculars birdbath birdhouse blackboard blanket boat
bodice boiler bonnet bookcase bookshelf boot bottle boulevard bouquet bowl box boxcar brick
bridge bridle briefcase broom buckboard bucket buckle buffet buggy bugle building bullet bunk
bunker bus cabana cabinet cafe cafeteria cage cake calorimeter camera camp candle candlewick
cannon canteen capstan capsule car cargo carriage cart cartwheel carving casino castanets castle
cathedral ceiling cellar centrifuge chair chaise chamber chancel chandelier chapel chariot
charnel chimney chisel cigar cigarette classroom clock cloth clothes clothesbrush clotheshorse
clothesline clothing clubhouse coat coffeehouse coffeepot compass computer concertina contrabass
convent coop corkscrew corral corridor corsage costume cottage couch coverlet crossroad crucifix
cufflink cup cupboard curtain cushion cushioning cutlass dagger dairy daybed derrick desk
destroyer dish dishwasher divan doll door doorbell doorknob doorway drawer dress dresser
driveway drum dumbbell dungeon dustbin earphone elevator embassy engine envelope epaulet
escritoire factory fan farm farmhouse faucet fauteuil fedora fence fiddle filter firecracker
fireplace firework flashlight flask floorboard flowerbed flute footbridge footpath fork fort
fortress foundry fountain foyer freeway freight freighter frieze furnace furniture furrow gadget
garage garden garment garrison gate gatepost gateway gauge gem glove gourd granary grate
greatcoat greenhouse gristmill grocery guitar gutter gym hall hallway hammer hamper handbag
handkerchief handle hat hatchway haversack headgear headlight headquarters hearth highway holder
holster honkytonk hopper hospital hostelry hotel house housing hut hutment icebox inn
interchange jacket jar jeep jewel jug jukebox junction kerchief kettle key keyboard keyhole
kitchen kitchenette knapsack knife lab laboratory labyrinth ladder lamp lane lantern laundry
lens library links lipstick locker loft loom loudspeaker luggage lunchroom machine mackinaw
magnet mailbox makeup manor manse mantel mascara masterpiece maze metro microphone microscope
mike mill millwheel mirror monastery monocle monument motel motor motorcar mound mudguard muff
muffler mulch museum necklace necktie net nightclub nursery obelisk orchard ornament oven
overcoat overshoe oxcart padlock pail palace pantry parachute parcel parlor parsonage pavement
pedestal peg pegboard pen pencil pendulum penthouse phone phonograph piano pillow pinafore
pinnacle pipe pirogue pitchfork platform pleat plow plowshare pocket poncho porch pottery pouch
propeller pulley pulpit puppet purse pyrometer quilt quirt raft railhead railing railroad
railway ram ramp rampart ranch razor receiver recorder recording refectory refrigerator
restaurant road roadside roadway robe rocket roof rooftree rope rosary rosette rostrum
roundhouse rudder rug russet saddle saddlebag sail salon saloon sandal sari satellite sawhorse
scarf scenery schoolhouse schoolroom scimitar scoreboard screwdriver sedan seismograph sensor
serviette shack shackle shanty shawl sheath shed shelf ship shipyard shirt shirtfront
shirtsleeve shoe shoelace shoestring shop shovel shower showerhead showpiece showroom shrine
shutter sideboard sidewalk sieve silo skiff skullcap skylight skyscraper slingshot slipper sloop
smokehouse sneaker snuffbox sock sofa sonar souvenir spade speakeasy spear spectacles
spectrometer spoon springboard sputnik stable stadium stair staircase stairs stairway stairwell
statue statuette steakhouse steamboat steamship stereo stethoscope stetson stickpin still stilt
stirrup stocking stool storefront storehouse storeroom stove streamliner street streetcar
streetlight studio submarine substation subway suitcase sundial sunshade superhighway
supermarket sweatband sweater sweatshirt swimsuit switchboard sword synagogue tablet tabletop
tanker tavern taxi teacart teakettle telegraph telephone temple tent terminal terrace theater
theatre thermistor thermometer thoroughfare thread throne throttle thruway thwart timepiece
timer tollhouse toothbrush toothpaste torch towboat towel tower toy tractor train treadmill
trinket tripod troika trousers truck trumpet tub tunnel turban turbine turntable typewriter
umbrella uniform urn vase velvet veranda verandah vest vestibule vineyard violin wagon wallet
wand wardrobe wardroom wash washbasin washbowl wastebasket watch well wharf wheel wheelchair wig
windmill window windowpane windowsill windshield wineglass woodshed workbench workboard workshop
worktable wreath xylophone yacht yoke zoo
`);

/** noun.food */
export const FOODS = words(`
apple avocado bacon biscuit blackberry bread burger butter cabbage candy carrot cheese chicken
chocolate coconut cookie cracker croissant cupcake doughnut dumpling eggplant grape lemon loaf
macaron melon mushroom orange pancake pear pie pineapple pizza pomegranate potato pretzel
pumpkin radish salad sandwich sausage steak strawberry tomato waffle walnut watermelon
`);

/** noun.plant */
export const PLANTS = words(`
bonsai bush cactus clover daffodil daisy dandelion fern hyacinth iris lavender lilac lotus
magnolia maple oak orchid pansy peony pinecone poppy rose rosebud sapling snapdragon succulent
sunflower tree tulip vine violet willow yucca
`);

function words(text: string): readonly string[] {
  return text.trim().split(/\s+/);
}
