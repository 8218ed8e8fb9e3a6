const WIDTH = 640;

/** What this is and why one should care, in two sentences and a picture. */
export function LandingView() {
  return (
    <section class="landing">
      <h2>Was this image really made as somebody says?</h2>
      <p>
        An image generator works in steps, and here each of them is signed: drop an image below, and
        this page computes some of its steps again, on your own machine. Whoever swaps the model,
        skips steps or passes off another picture is likely to be found out, and you need to trust
        nobody.
      </p>
      <figure>
        <img
          src="./landing.webp"
          width={WIDTH}
          height={WIDTH / 5}
          alt="Five states of one image, from noise to a golden tau symbol in a night sky"
        />
        <figcaption class="small faint">
          {["noise", "step 1", "step 4 ✓", "step 12 ✓", "image ✓"].map((text) => (
            <span key={text}>{text}</span>
          ))}
        </figcaption>
      </figure>
    </section>
  );
}
