import { useEffect, useRef } from "preact/hooks";
import type { Picture } from "../api/mod.ts";

/** Pixels as they are. */
export function PictureCanvas({ picture, label }: {
  readonly picture: Picture;
  readonly label: string;
}) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const element = canvas.current;
    const draw = () =>
      element?.getContext("2d")
        ?.putImageData(new ImageData(picture.data, picture.width, picture.height), 0, 0);
    draw();
    // A GPU that is lost during a check loses the pixels too.
    element?.addEventListener("contextrestored", draw);
    return () => element?.removeEventListener("contextrestored", draw);
  }, [picture]);
  return (
    <canvas
      ref={canvas}
      class="pixels"
      width={picture.width}
      height={picture.height}
      role="img"
      aria-label={label}
    />
  );
}
